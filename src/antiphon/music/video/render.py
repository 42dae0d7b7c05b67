"""Music video of a song: rendering, and one still of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import av
from PIL import Image

from antiphon.errors import EngineError, NotAudio
from antiphon.music import audio as sound
from antiphon.music.audio.source import open_source
from antiphon.music.lyrics import Lyrics, parse
from antiphon.music.progress import Progress, part, silent
from antiphon.music.video import spectrum, text, theme
from antiphon.music.video.artwork import draw_cover
from antiphon.music.video.content import VideoContent
from antiphon.music.video.cover import open_cover
from antiphon.music.video.encode import Mp4
from antiphon.music.video.progress_bar import clock_text
from antiphon.music.video.scene import Scene
from antiphon.music.video.segments import Picture, Segments
from antiphon.music.video.setting import Wording
from antiphon.music.video.sound import AudioMode, copyable
from antiphon.music.video.spectrum import Spectrum
from antiphon.music.video.thumbnail import jpeg, liveliest

CRF = 20.0
UNTITLED = "Untitled"
COMMENT = "Made with Antiphon"
COVER_SHARE = 0.86
"""Of the frame's short side, as which a cover is opened: no theme shows it larger."""

NOT_KEPT = "'audio': the source's sound is not AAC or MP3 of one kind throughout, so that it was encoded as AAC"


@dataclass(frozen=True)
class RenderedVideo:
    """What was rendered: ``duration`` in seconds, size in pixels; ``warnings`` say what could not be shown."""

    duration: float
    width: int
    height: int
    frames: int
    warnings: list[str]


@dataclass(frozen=True)
class Still:
    """One frame as an RGB picture; ``warnings`` say what the video could not show."""

    picture: Image.Image
    warnings: list[str]


def render(
    audio: Path,
    out: Path,
    content: VideoContent,
    *,
    audio_mode: AudioMode = "auto",
    thumbnail: Path | None = None,
    start: float = 0.0,
    length: float | None = None,
    threads: int = 2,
    crf: float = CRF,
    progress: Progress = silent,
) -> RenderedVideo:
    """Renders the music video of an audio file as MP4.

    The liveliest frame becomes the file's cover art. Memory does not grow with the song but for 64 bytes per frame. On
    an error, one raised by ``progress`` included, ``out`` does not exist.

    Args:
        audio: The song.
        out: The MP4 to write.
        content: What the video shows.
        audio_mode: Whether the source's sound is copied as it is or encoded.
        thumbnail: Where the liveliest frame goes as a JPEG, too; None: nowhere.
        start: Seconds into the song at which the video begins, for a preview.
        length: Seconds of it; None: to its end.
        threads: How many segments are encoded at a time, each on one core.
        crf: Constant rate factor of x264: lower is better and larger.
        progress: Is told the share of the work that is done.

    Raises:
        NotAudio: the file holds no sound.
        EngineError: the file cannot be written.
        BadParameter: the cover is not a picture; the message names the field.
    """
    look = content.look
    stage = _PreparedVideo.build(audio, content, part(progress, 0.0, 0.12))
    scene, picture = stage.scene, Picture(look.width, look.height, look.fps, crf)
    first, last = _piece(start, length, look.fps, scene.count)
    copy = copyable(audio, audio_mode)
    if audio_mode == "copy" and not copy:
        stage.warnings.append(NOT_KEPT)
    poster = jpeg(scene.still(first + liveliest(stage.measured.levels[first:last])))
    frames = part(progress, 0.12, 1.0)
    try:
        if thumbnail:
            thumbnail.write_bytes(poster)
        with (
            Mp4(
                out,
                audio,
                picture,
                metadata=_metadata(content),
                copy=copy,
                thumbnail=poster,
                start=first / look.fps,
                end=last / look.fps if last < scene.count else math.inf,
            ) as video,
            Segments(picture, scene.canvas, scene.paint, first=first, last=last, threads=threads) as segments,
        ):
            for packets in segments.packets(lambda share: frames(share, "frames")):
                video.write(packets)
    except av.FFmpegError as error:
        out.unlink(missing_ok=True)
        raise EngineError(f"The video could not be written: {error.strerror}.") from error
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    duration = stage.measured.duration if last - first == scene.count else (last - first) / look.fps
    return RenderedVideo(duration, look.width, look.height, last - first, stage.warnings)


def still(audio: Path, content: VideoContent, *, at: float, progress: Progress = silent) -> Still:
    """One frame of the video that ``render`` would make, ``at`` seconds from its start.

    Raises:
        NotAudio, BadParameter: as ``render``.
    """
    stage = _PreparedVideo.build(audio, content, progress)
    picture = stage.scene.still(min(stage.scene.count - 1, max(0, round(at * content.look.fps))))
    return Still(picture, stage.warnings)


class _PreparedVideo(NamedTuple):
    """What is known before the first frame is drawn."""

    scene: Scene
    measured: Spectrum
    warnings: list[str]

    @classmethod
    def build(cls, audio: Path, content: VideoContent, progress: Progress) -> "_PreparedVideo":
        look = content.look
        wording, warnings = _wording(content)
        side = round(min(look.width, look.height) * COVER_SHARE)
        art = open_cover(content.cover, side) if content.cover else draw_cover(text.clean(content.title), side)
        measured = _analyse(audio, look.fps, part(progress, 0.0, 0.85))
        progress(0.85, "picture")
        sung = parse(content.lyrics, measured.duration) if content.lyrics else Lyrics(())
        warnings += [*sung.warnings, *_undrawable("lyrics", "".join(line.text for line in sung.lines))]
        given = theme.load(look, lyrics=bool(sung.lines))
        wording = replace(wording, total=clock_text(measured.duration))
        return cls(Scene(given, wording, art, sung, measured, look.fps), measured, warnings)


def _metadata(content: VideoContent) -> dict[str, str]:
    """The file's tags; an empty one is left out."""
    tags = {"title": text.clean(content.title) or UNTITLED, "artist": text.clean(content.author), "comment": COMMENT}
    return {name: words for name, words in tags.items() if words}


def _piece(start: float, length: float | None, fps: int, count: int) -> tuple[int, int]:
    """The frames from ``start`` seconds on for ``length`` seconds, at least one: the first, and that after the last."""
    first = min(max(0, round(start * fps)), count - 1)
    return first, count if length is None else min(count, first + max(1, round(length * fps)))


def _wording(content: VideoContent) -> tuple[Wording, list[str]]:
    warnings: list[str] = []
    shown = []
    for field, given in (("title", content.title), ("author", content.author), ("domainName", content.domain)):
        warnings += _undrawable(field, given or "")
        shown.append(text.drawable(given or "").text)
    return Wording(shown[0] or UNTITLED, shown[1], shown[2], ""), warnings


def _undrawable(field: str, words: str) -> list[str]:
    dropped = text.drawable(words).dropped
    listed = " ".join(f"{character} (U+{ord(character):04X})" for character in dropped[:10])
    return [f"'{field}': no available font has these characters, they were left out: {listed}"] if dropped else []


def _analyse(audio: Path, fps: int, progress: Progress) -> Spectrum:
    with open_source(audio) as source:
        stated = (source.container.duration or 0) / 1_000_000

    def blocks() -> Iterator[spectrum.Floats]:
        done = 0
        for block in sound.stream(audio, sample_rate=spectrum.RATE_HZ, channels=1, block=spectrum.RATE_HZ):
            yield block
            done += len(block)
            progress(min(1.0, done / spectrum.RATE_HZ / stated) if stated else 0.0, "analysis")

    measured = spectrum.analyse(blocks(), fps)
    if not measured.samples:
        raise NotAudio()
    return measured
