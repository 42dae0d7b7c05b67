"""Scenes of a made-up song, for tests that look at frames."""

import numpy as np

from antiphon.music.lyrics import parse
from antiphon.music.video.artwork import draw_cover
from antiphon.music.video.look import VideoLook
from antiphon.music.video.scene import Scene
from antiphon.music.video.setting import Wording
from antiphon.music.video.spectrum import BANDS, RATE_HZ, Spectrum
from antiphon.music.video.theme import load

SECONDS = 30
LYRICS = """[00:02.00]<00:02.00>Over <00:03.00>the <00:04.00>water<00:05.00>
[00:06.00]I hear you calling me across the long and winding shore of a very wide and quiet sea
[00:12.00]And I answer"""


def spectrum(seconds: float = SECONDS, fps: int = 30) -> Spectrum:
    """Hills that wander over the bands, and a beat every half second."""
    frames = round(seconds * fps)
    time, band = np.arange(frames)[:, None] / fps, np.arange(BANDS)[None, :] / BANDS
    hills = 0.5 + 0.3 * np.sin(2 * np.pi * (3 * band - time / 3)) + 0.18 * np.sin(2 * np.pi * (11 * band + time))
    pulse = 0.02 ** (time[:, 0] * 2 % 1)
    return Spectrum(
        np.rint(255 * hills).astype(np.uint8), np.rint(255 * pulse).astype(np.uint8), round(seconds * RATE_HZ)
    )


def scene(
    look: VideoLook = VideoLook(),
    *,
    title: str = "Call, and I Will Answer",
    author: str = "The Antiphons",
    lyrics: str = "",
    measured: Spectrum | None = None,
) -> Scene:
    """A scene with a generated cover."""
    measured = measured or spectrum(fps=look.fps)
    words = parse(lyrics, measured.duration) if lyrics else None
    wording = Wording(title, author, "antiphon.example", "0:30")
    side = round(min(look.width, look.height) * 0.86)
    return Scene(load(look, lyrics=bool(lyrics)), wording, draw_cover("Nocturne", side), words, measured, look.fps)
