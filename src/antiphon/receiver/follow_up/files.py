"""The step "files": MIDI is written, a video and stems are downloaded."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from antiphon.contract.results import MidiResult, SeparationResult, VideoResult, WavResult
from antiphon.receiver.follow_up.atomic_files import make_folder, place, require_room
from antiphon.receiver.follow_up.paths import safe
from antiphon.receiver.follow_up.step import Delivery, GiveUp, TryAgain
from antiphon.receiver.inbox.large_body import LargeMidi, Stopped, write_song
from antiphon.score.programs import program_of

if TYPE_CHECKING:
    from antiphon.download import Downloader
    from antiphon.score.notes import InstrumentPart

log = logging.getLogger("antiphon.receiver")

DOCUMENT = "midi.json"
SONG = "song.mid"
DISK_RESERVE_BYTES = 64_000_000  # of the disk that stay free, so that the inbox can go on
EXPIRY_WARNING_S = 3 * 86_400.0  # before a link expires, from which on each try says so
_MAX_TRACKS = 1000  # a MIDI file has room for 65,535; no song has so many
_NOTE_BYTES = 16  # at most, of a note in a MIDI file
_MAX_TRACK_NAME_CHARS = 200  # characters of a track's name
_TRUSTED = ("standard", "polled")  # with these the links are the sender's own words; else anybody may have put them


@dataclass(frozen=True)
class _FileLink:
    """``file`` is the name without its extension. One that is ``spare`` is done without if it cannot be had."""

    name: str
    file: str
    url: str
    expect: Literal["video", "audio", "image"]
    spare: bool = False


class FilesStep:
    """MIDI becomes ``midi.json``, the callback as it came, and ``song.mid``, a Standard MIDI File; a video becomes
    ``video.mp4`` and ``thumbnail.jpg``, a separation a file for each stem, and with ``origin`` the whole song too. The
    folder is the event's.

    A file appears under its name when it is whole and on the disk. Run again, the step goes on from what is there.
    Links lead to public addresses alone; into the own network only if ``downloader`` allows it (``allow_private``) and
    they were signed with the body (Standard Webhooks) or polled. None leads to link-local and other special
    addresses. Hosts that ``downloader`` allows are free of this. ``clock`` gives Unix seconds.
    """

    name = "files"

    def __init__(
        self,
        downloader: "Downloader | None" = None,
        *,
        download: bool = True,
        origin: bool = False,
        reserve: int = DISK_RESERVE_BYTES,
        warn_before: float = EXPIRY_WARNING_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._downloader = downloader
        self._download = download
        self._origin = origin
        self._reserve = reserve
        self._warn_before = warn_before
        self._clock = clock

    def run(self, delivery: Delivery) -> Mapping[str, Path]:
        """Put the files of a result in place.

        Returns:
            Paths by name: ``midi.json`` and ``song.mid``, ``video`` and ``thumbnail``, or each stem's name. A failure
                has none.

        Raises:
            TryAgain: A download or the disk failed for the moment.
            GiveUp: A file cannot be had.
        """
        result = delivery.result
        if isinstance(result, LargeMidi):
            return self._large_midi(delivery)
        for problem in getattr(result, "problems", ()):
            log.warning("%s %s: %s", delivery.event.kind, delivery.event.task_id, problem)
        if isinstance(result, MidiResult):
            return self._midi(delivery, result)
        links = list(self._links(result)) if self._download else []
        return self._fetch_all(delivery, links) if links else {}

    def _midi(self, delivery: Delivery, result: MidiResult) -> dict[str, Path]:
        from antiphon.score import midifile  # not at the top: mido takes its time, and not every receiver gets MIDI

        folder, body = delivery.folder, delivery.event.body
        notes = sum(len(instrument.notes) for instrument in result.instruments)
        make_folder(folder)
        require_room(folder, len(body) + _NOTE_BYTES * notes, self._reserve)
        return place(
            folder,
            {
                DOCUMENT: lambda path: path.write_bytes(body),
                SONG: lambda path: midifile.write(tracks(result), path),
            },
        )

    def _large_midi(self, delivery: Delivery) -> dict[str, Path]:
        """The same in a process of its own, which reads the notes and is gone with them."""
        folder, body = delivery.folder, delivery.event.body
        make_folder(folder)
        require_room(folder, len(body) + _NOTE_BYTES * body.count(b"{"), self._reserve)
        try:
            return place(
                folder,
                {
                    DOCUMENT: lambda path: path.write_bytes(body),
                    SONG: lambda path: write_song(body, path, delivery.stopping),
                },
            )
        except Stopped:
            raise TryAgain("the receiver was stopped while the MIDI file was written") from None

    def _links(self, result: object) -> Iterator[_FileLink]:
        if isinstance(result, VideoResult):
            yield _FileLink("video", "video", result.video_url, "video")
            if result.thumbnail_url:
                yield _FileLink("thumbnail", "thumbnail", result.thumbnail_url, "image", spare=True)
        elif isinstance(result, WavResult):
            yield _FileLink("wav", "audio", result.wav_url, "audio")
        elif isinstance(result, SeparationResult):
            for name, url in result.stems.items():
                yield _FileLink(name, safe(name), url, "audio")
            if self._origin and result.origin_url:
                yield _FileLink("origin", "origin", result.origin_url, "audio")

    def _fetch_all(self, delivery: Delivery, links: list[_FileLink]) -> dict[str, Path]:
        """All links are tried, whatever becomes of one, so that what can be had is had."""
        from antiphon.download import DownloadError, DownloadStopped, LinkExpired, NoSpace, finished

        make_folder(delivery.folder)
        self._warn(delivery)
        files: dict[str, Path] = {}
        failed: dict[str, DownloadError] = {}
        for order, link in enumerate(links):
            if there := finished(delivery.folder, link.file):
                files[link.name] = there
                continue
            if not link.spare:
                self._refuse_expired(delivery, files)
            try:
                files[link.name] = self._fetch(delivery, link, order, len(links))
            except DownloadError as error:
                if link.spare and not isinstance(error, DownloadStopped):
                    words = f"done without its {link.name}: {error.message}"
                    log.warning("%s %s: %s", delivery.event.kind, delivery.event.task_id, words)
                    continue
                failed[link.name] = error
                if isinstance(error, NoSpace | DownloadStopped):
                    break  # the others would fare the same
        if not failed:
            return files
        words = "; ".join(f"{name}: {error.message}" for name, error in failed.items())
        if any(error.retryable for error in failed.values()):
            raise TryAgain(words, max((error.retry_after or 0.0 for error in failed.values()), default=0.0) or None)
        expired = any(isinstance(error, LinkExpired) for error in failed.values())
        raise GiveUp(words, "expired" if expired else "failed")

    def _fetch(self, delivery: Delivery, link: _FileLink, order: int, count: int) -> Path:
        if self._downloader is None:
            from antiphon.download import Downloader

            self._downloader = Downloader(reserve=self._reserve)

        def progress(done: int, total: int | None) -> None:
            of = f" of {total / 1e6:.1f}" if total else ""
            fraction = (order + done / total) / count if total else None
            delivery.report(fraction, f"{link.name} {done / 1e6:.1f}{of} MB")

        return self._downloader.fetch(
            link.url,
            delivery.folder,
            link.file,
            expect=link.expect,
            allow_private=self._downloader.allow_private and delivery.event.scheme in _TRUSTED,
            private=True,
            progress=progress,
            pace=delivery.give_way,
            stop=delivery.stopping,
        )

    def _warn(self, delivery: Delivery) -> None:
        left = delivery.expires_at - self._clock()
        if 0 < left < self._warn_before:
            words = f"the links expire on {_date(delivery.expires_at)}, in {left / 3600:.0f} h"
            log.warning("%s %s: %s", delivery.event.kind, delivery.event.task_id, words)
            delivery.report(None, words)

    def _refuse_expired(self, delivery: Delivery, files: Mapping[str, Path]) -> None:
        if self._clock() >= delivery.expires_at:
            have = f"; {', '.join(files)} came in time" if files else ""
            when = _date(delivery.expires_at)
            raise GiveUp(f"the links expired on {when}{have}. Ask for the task's work again", "expired")


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def tracks(result: MidiResult) -> "Iterator[InstrumentPart]":
    """What the MIDI file plays, an instrument at a time. One whose name says nothing plays the piano."""
    from antiphon.score.notes import InstrumentPart

    sounding = [instrument for instrument in result.instruments if instrument.notes]
    if len(sounding) > _MAX_TRACKS:
        log.warning("midi %s: %d instruments, the first %d are written", result.task_id, len(sounding), _MAX_TRACKS)
    for instrument in sounding[:_MAX_TRACKS]:
        program = program_of(instrument.name)
        if not program.known:
            log.warning("midi %s: no General MIDI instrument is called %.200a", result.task_id, instrument.name)
        name = instrument.name[:_MAX_TRACK_NAME_CHARS] or "Unnamed"
        yield InstrumentPart(name, program.number, program.is_drum, instrument.notes)
