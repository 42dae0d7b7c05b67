"""A song and a few words in, a music video out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import av
from PIL import Image

from antiphon.errors import EngineError, NotAudio
from antiphon.music import audio as sound
from antiphon.music.audio.source import open_source
from antiphon.music.progress import Progress, part, silent
from antiphon.music.video import motion, spectrum, text, theme, yuv
from antiphon.music.video.artwork import draw_cover
from antiphon.music.video.cover import open_cover
from antiphon.music.video.encode import Mp4
from antiphon.music.video.look import Look
from antiphon.music.video.palette import palette_of
from antiphon.music.video.sound import AudioMode, copyable
from antiphon.music.video.spectrum import Spectrum
from antiphon.music.video.still import Wording, stills
from antiphon.music.video.thumbnail import jpeg, liveliest, picture

FPS = 30
CRF = 20.0
THEME = "bars"
UNTITLED = "Untitled"
COMMENT = "Made with Antiphon"
NOT_KEPT = "'audio': the source's sound is not AAC or MP3 of one kind throughout, so that it was encoded as AAC"


@dataclass(frozen=True)
class VideoResult:
    """What was rendered: ``duration`` in seconds, size in pixels; ``warnings`` say what could not be shown."""

    duration: float
    width: int
    height: int
    frames: int
    warnings: list[str]


def render(
    audio: Path,
    out: Path,
    *,
    title: str,
    author: str | None = None,
    domain: str | None = None,
    cover: Path | None = None,
    lyrics: str | None = None,
    look: Look = Look(),
    audio_mode: AudioMode = "auto",
    thumbnail: Path | None = None,
    threads: int = 2,
    crf: float = CRF,
    progress: Progress = silent,
) -> VideoResult:
    """Renders the music video of an audio file as MP4, 1280×720 at 30 frames a second.

    Without a cover one is drawn from the title. The liveliest frame becomes the file's cover art, and a JPEG at
    ``thumbnail``. ``threads`` are the encoder's. Memory does not grow with the song but
    for 64 bytes per frame. On an error, one raised by ``progress`` included, ``out`` does not exist.

    Raises:
        NotAudio: the file holds no sound.
        EngineError: the file cannot be written.
        BadParameter: the cover is not a picture; the message names the field.
    """
    given = theme.load(THEME)
    wording, warnings = _wording(title, author, domain)
    copy = copyable(audio, audio_mode)
    if audio_mode == "copy" and not copy:
        warnings.append(NOT_KEPT)
    art = open_cover(cover, given.cover.size) if cover else draw_cover(text.clean(title), given.cover.size)
    measured = _analyse(audio, part(progress, 0.0, 0.1))
    wording = replace(wording, total=motion.clock_text(measured.duration))
    progress(0.1, "picture")
    stage = _Stage.build(given, wording, art)
    metadata = {"title": text.clean(title) or UNTITLED, "artist": text.clean(author), "comment": COMMENT}
    metadata = {key: words for key, words in metadata.items() if words}
    poster = jpeg(stage.picture(liveliest(measured.levels), measured))
    try:
        if thumbnail:
            thumbnail.write_bytes(poster)
        with Mp4(
            out,
            audio,
            width=given.width,
            height=given.height,
            fps=FPS,
            threads=threads,
            crf=crf,
            metadata=metadata,
            copy=copy,
            thumbnail=poster,
        ) as video:
            _encode(video, stage, measured, part(progress, 0.12, 1.0))
    except av.FFmpegError as error:
        out.unlink(missing_ok=True)
        raise EngineError(f"The video could not be written: {error.strerror}.") from error
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return VideoResult(measured.duration, given.width, given.height, len(measured.levels), warnings)


class _Stage(NamedTuple):
    """The frame at rest and the parts that paint on it."""

    frame: yuv.Planes
    bars: motion.BarsPart
    line: motion.LinePart
    clock: motion.ClockPart
    glow: motion.GlowPart

    @classmethod
    def build(cls, given: theme.Theme, wording: Wording, art: Image.Image) -> "_Stage":
        rest, full = stills(given, wording, art, palette_of(art))
        return cls(
            rest.copy(),
            motion.BarsPart(given.bars, rest, full),
            motion.LinePart(given.line, rest, full),
            motion.ClockPart(given.clock, rest, wording.total),
            motion.GlowPart(given.glow, rest, full),
        )

    def paint(self, index: int, measured: Spectrum) -> None:
        seconds = index / FPS
        self.glow.paint(self.frame, int(measured.pulse[index]))
        self.bars.paint(self.frame, measured.levels[index])
        self.line.paint(self.frame, min(1.0, seconds / max(measured.duration, 1 / FPS)))
        self.clock.paint(self.frame, seconds)

    def picture(self, index: int, measured: Spectrum) -> Image.Image:
        self.paint(index, measured)
        return picture(self.frame)


def _encode(video: Mp4, stage: _Stage, measured: Spectrum, progress: Progress) -> None:
    count = len(measured.levels)
    for index in range(count):
        stage.paint(index, measured)
        video.write(index, stage.frame)
        if index % 15 == 0:
            progress(index / count, "frames")
    progress(1.0, "frames")


def _wording(title: str, author: str | None, domain: str | None) -> tuple[Wording, list[str]]:
    warnings = []
    shown = []
    for field, given in (("title", title), ("author", author), ("domainName", domain)):
        drawn = text.drawable(given or "")
        if drawn.dropped:
            listed = " ".join(f"{c} (U+{ord(c):04X})" for c in drawn.dropped[:10])
            warnings.append(f"'{field}': no available font has these characters, they were left out: {listed}")
        shown.append(drawn.text)
    return Wording(shown[0] or UNTITLED, shown[1], shown[2], ""), warnings


def _analyse(audio: Path, progress: Progress) -> Spectrum:
    with open_source(audio) as source:
        stated = (source.container.duration or 0) / 1_000_000

    def blocks() -> Iterator[spectrum.Floats]:
        done = 0
        for block in sound.stream(audio, sample_rate=spectrum.RATE, channels=1, block=spectrum.RATE):
            yield block
            done += len(block)
            progress(min(1.0, done / spectrum.RATE / stated) if stated else 0.0, "analysis")

    measured = spectrum.analyse(blocks(), FPS)
    if not measured.samples:
        raise NotAudio()
    return measured
