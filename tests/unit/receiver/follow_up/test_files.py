"""What the files step puts into an event's folder."""

import json
import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import mido
import pytest

from antiphon.contract.results import read_result
from antiphon.download import Downloader
from antiphon.receiver.follow_up.files import FilesStep
from antiphon.receiver.follow_up.paths import folder_of
from antiphon.receiver.follow_up.step import Delivery, GiveUp, TryAgain
from antiphon.receiver.inbox.inbox import Event
from antiphon.score import midifile

NOW = 1_800_000_000.0
DAY = 86_400.0
TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
JPEG = b"\xff\xd8\xff\xe0" + os.urandom(20_000)
MP4 = b"\0\0\0\x18ftypisom" + os.urandom(300_000)
FLAC = b"fLaC" + os.urandom(100_000)
BASS = {
    "name": "electric bass (FINGER)",
    "notes": [
        {"pitch": 44, "start": "0.5", "end": 1, "velocity": 0.5},
        {"pitch": 400, "start": 0.5, "end": 1.0, "velocity": 0.5},
    ],
}
NAMES = {"video": "video.mp4", "thumbnail": "thumbnail.jpg"}
DRUMS = {"name": "Drums", "notes": [{"pitch": 36, "start": 0.25, "end": 0.5, "velocity": 1.0}]}
THEREMIN = {"name": "Theremin", "notes": [{"pitch": 70, "start": 0.25, "end": 0.5, "velocity": 1.0}]}


class Site:
    """Files on loopback; ``answers`` are contents, or a status to answer with. ``asked`` is every path, in order."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | int] = {}
        self.asked: list[str] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.root = f"http://127.0.0.1:{self.http.server_port}/"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.partition("?")[0].lstrip("/")
                site.asked.append(name)
                answer = site.answers.get(name, 404)
                content = answer if isinstance(answer, bytes) else b""
                self.send_response(200 if isinstance(answer, bytes) else answer)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    threading.Thread(target=site.http.serve_forever, args=(0.02,), daemon=True).start()
    yield site
    site.http.shutdown()
    site.http.server_close()


Make = Callable[..., Delivery]


@pytest.fixture
def delivery(tmp_path: Path) -> Make:
    def make(document: dict[str, Any], kind: Any, scheme: Any = "standard", **changes: Any) -> Delivery:
        event = Event(1, kind, TASK, 1, 200, json.dumps(document).encode(), NOW, 0, None, scheme)
        folder = folder_of(tmp_path, event)
        made = Delivery(event, read_result(document), 1, folder, {}, NOW + 14 * DAY, lambda fraction, text: None)
        return replace(made, **changes)

    return make


def step(**options: Any) -> FilesStep:
    return FilesStep(
        Downloader(allow_private=True, reserve=0, resumes=0), **{"reserve": 0, "clock": lambda: NOW, **options}
    )


def midi(*instruments: object) -> dict[str, Any]:
    return {"code": 200, "taskId": TASK, "extra": [1], "data": {"state": "complete", "instruments": list(instruments)}}


def video(site: Site) -> dict[str, Any]:
    return {"code": 200, "data": {"task_id": TASK, "video_url": f"{site.root}video?token=x"}}


def separation(site: Site, *stems: str) -> dict[str, Any]:
    links = {f"{stem}_url": f"{site.root}{stem}" for stem in stems}
    return {"code": 200, "data": {"task_id": TASK, "vocal_removal_info": {"origin_url": f"{site.root}origin", **links}}}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_midi_becomes_the_document_as_it_came_and_a_midi_file_with_programs_and_drums_on_channel_10(
    delivery: Make, caplog: pytest.LogCaptureFixture
) -> None:
    given = delivery(midi(BASS, DRUMS, THEREMIN, {"name": "Flute", "notes": []}), "midi")
    files = step().run(given)
    assert files == {"midi.json": given.folder / "midi.json", "song.mid": given.folder / "song.mid"}
    assert sorted(contents(given.folder)) == ["midi.json", "song.mid"]
    assert files["midi.json"].read_bytes() == given.event.body
    bass, drums, theremin = midifile.read(files["song.mid"])
    assert [(note.pitch, round(note.start, 3), round(note.end, 3)) for note in bass.notes] == [(44, 0.5, 1.0)]
    assert (bass.name, drums.is_drum, theremin.name) == ("Electric Bass (finger)", True, "Acoustic Grand Piano")
    file = mido.MidiFile(str(files["song.mid"]))
    assert [track.name for track in file.tracks[1:]] == ["electric bass (FINGER)", "Drums", "Theremin"]
    assert {message.channel for message in file.tracks[2] if message.type == "note_on"} == {9}
    assert "notes[1].pitch is 400" in caplog.text
    assert "no General MIDI instrument is called 'Theremin'" in caplog.text


def test_midi_without_notes_is_a_midi_file_too(delivery: Make) -> None:
    files = step().run(delivery(midi(), "midi"))
    assert midifile.read(files["song.mid"]) == []


def test_a_second_run_puts_the_same_files_in_place_of_the_first(delivery: Make) -> None:
    given = delivery(midi(DRUMS), "midi")
    first = step().run(given), contents(given.folder)
    (given.folder / ".song.mid.new").write_bytes(b"broken off")
    assert (step().run(given), contents(given.folder)) == first


def test_hostile_instruments_still_make_a_file_that_players_accept(delivery: Make) -> None:
    many = [{**DRUMS, "name": "x" * 100_000}, {**DRUMS, "name": "\ud800\n"}, *[{**DRUMS, "name": "Flute"}] * 70_000]
    files = step().run(delivery(midi(*many), "midi"))
    assert len(midifile.read(files["song.mid"])) == 1000


def test_a_video_is_downloaded(delivery: Make, site: Site) -> None:
    site.answers["video"] = MP4
    told: list[tuple[float | None, str]] = []
    given = delivery(video(site), "video", report=lambda fraction, text: told.append((fraction, text)))
    assert step().run(given) == {"video": given.folder / "video.mp4"}
    assert contents(given.folder) == {"video.mp4": MP4}
    assert told[-1] == (1.0, "video 0.3 of 0.3 MB")


def test_each_stem_is_downloaded_and_the_whole_song_only_when_asked_for(delivery: Make, site: Site) -> None:
    site.answers.update(vocal=FLAC, instrumental=FLAC[:-1], origin=FLAC[:-2])
    given = delivery(separation(site, "vocal", "instrumental"), "separation")
    assert step().run(given) == {
        "vocal": given.folder / "vocal.flac",
        "instrumental": given.folder / "instrumental.flac",
    }
    assert contents(given.folder) == {"vocal.flac": FLAC, "instrumental.flac": FLAC[:-1]}
    assert (step(origin=True).run(given)["origin"]).read_bytes() == FLAC[:-2]
    assert site.asked == ["vocal", "instrumental", "origin"]


def test_a_hostile_stem_stays_in_the_folder(delivery: Make, site: Site, tmp_path: Path) -> None:
    name = "../../../vocal"
    site.answers["vocal"] = FLAC
    document = {"data": {"task_id": TASK, "vocal_removal_info": {f"{name}_url": f"{site.root}vocal"}}}
    given = delivery(document, "separation")
    files = step().run(given)
    assert files[name].parent == given.folder
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [files[name]]


def test_a_stem_that_fails_does_not_keep_the_others_and_is_the_only_one_fetched_again(
    delivery: Make, site: Site
) -> None:
    site.answers.update(vocal=503, drums=FLAC, bass=FLAC)
    given = delivery(separation(site, "vocal", "drums", "bass"), "separation")
    with pytest.raises(TryAgain, match=r"^vocal: .*503"):
        step().run(given)
    assert sorted(contents(given.folder)) == ["bass.flac", "drums.flac"]
    site.answers["vocal"] = FLAC
    assert sorted(step().run(given)) == ["bass", "drums", "vocal"]
    assert site.asked == ["vocal", "drums", "bass", "vocal"]


def test_a_link_that_answers_410_has_expired_and_the_other_stems_are_kept(delivery: Make, site: Site) -> None:
    site.answers.update(vocal=410, drums=FLAC)
    given = delivery(separation(site, "vocal", "drums"), "separation")
    with pytest.raises(GiveUp, match=r"^vocal: ") as raised:
        step().run(given)
    assert raised.value.state == "expired"
    assert list(contents(given.folder)) == ["drums.flac"]


def with_thumbnail(site: Site) -> dict[str, Any]:
    document = video(site)
    document["data"]["thumbnail_url"] = f"{site.root}thumbnail?token=x"
    return document


def test_a_video_is_downloaded_with_its_thumbnail(delivery: Make, site: Site) -> None:
    site.answers |= {"video": MP4, "thumbnail": JPEG}
    given = delivery(with_thumbnail(site), "video")
    assert step().run(given) == {name: given.folder / file for name, file in NAMES.items()}
    assert contents(given.folder) == {"video.mp4": MP4, "thumbnail.jpg": JPEG}


@pytest.mark.parametrize("answer", [404, 410, 500, b"", MP4, b"<html>"])
def test_a_video_is_not_held_up_by_a_thumbnail_that_cannot_be_had(
    delivery: Make, site: Site, caplog: pytest.LogCaptureFixture, answer: bytes | int
) -> None:
    site.answers |= {"video": MP4, "thumbnail": answer}
    given = delivery(with_thumbnail(site), "video")
    assert step().run(given) == {"video": given.folder / "video.mp4"}
    assert "done without its thumbnail" in caplog.text


def test_what_is_no_video_is_given_up(delivery: Make, site: Site) -> None:
    site.answers["video"] = FLAC
    with pytest.raises(GiveUp) as raised:
        step().run(delivery(video(site), "video"))
    assert raised.value.state == "failed"


@pytest.mark.parametrize("scheme", ["standard", "polled"])
def test_no_signature_opens_the_own_network_without_the_setting_of_the_receiver(
    delivery: Make, site: Site, scheme: str
) -> None:
    site.answers["video"] = MP4
    unset = FilesStep(Downloader(reserve=0), reserve=0, clock=lambda: NOW)
    with pytest.raises(GiveUp, match="--allow-private"):
        unset.run(delivery(video(site), "video", scheme))
    assert site.asked == []
    assert step().run(delivery(video(site), "video", scheme))


@pytest.mark.parametrize("scheme", ["documented", ""])
def test_a_link_whose_signature_does_not_cover_it_may_not_lead_into_the_own_network(
    delivery: Make, site: Site, scheme: str
) -> None:
    site.answers["video"] = MP4
    with pytest.raises(GiveUp, match="loopback"):
        step().run(delivery(video(site), "video", scheme))
    assert site.asked == []
    allowed = FilesStep(Downloader(allow_hosts=["127.0.0.1"], reserve=0), clock=lambda: NOW)
    assert allowed.run(delivery(video(site), "video", scheme))


def test_after_the_expiry_nothing_is_downloaded_but_what_has_come_counts(delivery: Make, site: Site) -> None:
    site.answers.update(vocal=FLAC, drums=503)
    given = delivery(separation(site, "vocal", "drums"), "separation")
    with pytest.raises(TryAgain):
        step().run(given)
    late = step(clock=lambda: NOW + 15 * DAY)
    with pytest.raises(GiveUp, match=r"expired on 2027-01-29 08:00 UTC; vocal came in time") as raised:
        late.run(given)
    assert raised.value.state == "expired"
    assert site.asked == ["vocal", "drums"]
    site.answers["drums"] = FLAC
    step().run(given)
    assert sorted(late.run(given)) == ["drums", "vocal"]
    assert late.run(delivery(midi(DRUMS), "midi"))


def test_that_the_links_will_expire_is_said_before(
    delivery: Make, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answers["video"] = MP4
    told: list[str] = []
    given = delivery(video(site), "video", report=lambda fraction, text: told.append(text))
    with caplog.at_level(logging.WARNING):
        step(clock=lambda: NOW + 13 * DAY).run(given)
    assert told[0] == "the links expire on 2027-01-29 08:00 UTC, in 24 h"
    assert told[0] in caplog.text


def test_without_downloads_links_are_left_alone(delivery: Make, site: Site) -> None:
    assert step(download=False).run(delivery(video(site), "video")) == {}
    assert site.asked == []
    assert step(download=False).run(delivery(midi(DRUMS), "midi"))


@pytest.mark.parametrize(
    "document",
    [{"code": 500, "msg": "no", "data": {"video_url": None}}, {"code": 200, "data": {"callbackType": "first"}}],
)
def test_failures_and_unknown_callbacks_have_no_files(delivery: Make, document: dict[str, Any]) -> None:
    given = delivery(document, "video")
    assert step().run(given) == {}
    assert not given.folder.exists()


def test_a_stop_breaks_the_download_off_and_the_next_run_ends_it(delivery: Make, site: Site) -> None:
    site.answers["video"] = MP4
    given = delivery(video(site), "video")
    given.stopping.set()
    with pytest.raises(TryAgain, match="stopped"):
        step().run(given)
    assert step().run(replace(given, stopping=threading.Event()))


def test_room_is_looked_for_before_anything_is_written(delivery: Make, site: Site) -> None:
    given = delivery(midi(DRUMS), "midi")
    with pytest.raises(TryAgain, match=r"are free and .* stay in reserve; free some space"):
        step(reserve=1 << 60).run(given)
    assert contents(given.folder) == {}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may mount a file system")
def test_a_disk_that_is_full_in_the_midst_is_said_and_the_next_run_ends_the_work(
    delivery: Make, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    given = replace(delivery(midi(DRUMS), "midi"), folder=disk / "midi" / TASK)
    # No room for a fifth file or folder: the free space alone does not tell.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=4", "tmpfs", str(disk)], check=True)
    try:
        with pytest.raises(TryAgain, match=r"song\.mid: the disk is full; free some space, it is tried again"):
            step().run(given)
        assert contents(given.folder) == {"midi.json": given.event.body}
        subprocess.run(["mount", "-o", "remount,nr_inodes=100", str(disk)], check=True)
        assert len(midifile.read(step().run(given)["song.mid"])) == 1
        assert sorted(contents(given.folder)) == ["midi.json", "song.mid"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_something_else_in_the_place_of_a_file_is_said(delivery: Make) -> None:
    given = delivery(midi(DRUMS), "midi")
    (given.folder / "song.mid").mkdir(parents=True)
    with pytest.raises(GiveUp, match=r"song\.mid: something else stands where the file should go"):
        step().run(given)
    given.folder.parent.joinpath("x").write_text("a file where a folder should be")
    with pytest.raises(GiveUp, match="something else"):
        step().run(replace(given, folder=given.folder.parent / "x"))


def test_a_hundred_thousand_notes_are_soon_written(delivery: Make) -> None:
    times = [order / 100 for order in range(100_000)]
    notes = [{"pitch": 60, "start": start, "end": start + 0.01, "velocity": 0.5} for start in times]
    begun = time.process_time()
    files = step().run(delivery(midi({"name": "Flute", "notes": notes}), "midi"))
    assert time.process_time() - begun < 5
    assert files["song.mid"].stat().st_size > 500_000
