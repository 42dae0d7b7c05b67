"""Composition of a frame: background, cover, bars, progress line, time and lyrics."""

from collections.abc import Sequence

from PIL import Image

from antiphon.music.lyrics import Lyrics
from antiphon.music.video.background import draw_background
from antiphon.music.video.background_layer import Ground
from antiphon.music.video.cover_layer import CoverPart, cover_region
from antiphon.music.video.ink import Canvas, Colours
from antiphon.music.video.layers import draw_layer
from antiphon.music.video.lyrics_layer import SungPart
from antiphon.music.video.palette import palette_of
from antiphon.music.video.progress_bar import ClockPart, LinePart, line_region
from antiphon.music.video.scrolling_lyrics import ScrollingPart
from antiphon.music.video.setting import Wording, set_words
from antiphon.music.video.spectrum import Spectrum
from antiphon.music.video.spectrum_bars import BarsPart, bars_region
from antiphon.music.video.theme import Region, Theme
from antiphon.music.video.thumbnail import picture
from antiphon.music.video.yuv import Floats, Planes, convert


class Scene:
    """Draws all that can be drawn before the first frame. What it holds never changes: threads may share it."""

    def __init__(
        self, theme: Theme, wording: Wording, art: Image.Image, lyrics: Lyrics | None, measured: Spectrum, fps: int
    ) -> None:
        self.width, self.height, self.count = theme.width, theme.height, len(measured.levels)
        self._measured, self._fps = measured, fps
        palette = palette_of(art)
        words = set_words(theme, wording)

        def draw(layer: str, region: Region) -> Floats:
            return draw_layer(theme, layer, palette, words, region)

        margin = 2 * round(theme.background.drift * min(theme.width, theme.height) / 2)
        wide, high = theme.width + 2 * margin, theme.height + 2 * margin
        background = draw_background(art, wide, high, theme.background, palette)
        still = draw("still", Region(0, 0, theme.width, theme.height))
        self._ground = Ground(background, still, theme.background, fps)
        self._cover = CoverPart(theme, art, draw("halo", cover_region(theme)))
        self._bars = BarsPart(theme, _colours(draw("ink", bars_region(theme))))
        self._line = LinePart(theme, _colours(draw("ink", line_region(theme))))
        self._clock = ClockPart(theme, wording.total)
        self._sung: SungPart | ScrollingPart | None = None
        if lyrics and lyrics.lines:
            length = measured.duration
            self._sung = SungPart(theme, lyrics) if lyrics.timed else ScrollingPart(theme, lyrics, length)

    def canvas(self) -> Canvas:
        """Something to paint on, for one thread."""
        return Canvas.empty(self.width, self.height)

    def paint(self, canvas: Canvas, index: int) -> Planes:
        """The frame of that index. It depends on nothing else, and is fastest if the one before was painted last."""
        seconds = index / self._fps
        follows = canvas.states.get("index") == index - 1
        canvas.states["index"] = index
        if follows:
            self._ground.renew(canvas.ground, index)
            renewed = self._ground.renewed(index)
        else:
            self._ground.fill(canvas.ground, index)
            renewed = [slice(0, self.height)]
        changed = self._cover.paint(canvas, int(self._measured.pulse[index]), renewed)
        for region in changed:
            _, below, above = canvas.areas(region)
            for frame, lit in zip(above, below, strict=True):
                frame[:] = lit
        self._bars.paint(canvas, self._measured.levels[index], seconds)
        fraction = min(1.0, seconds / max(self._measured.duration, 1 / self._fps))
        self._line.paint(canvas, fraction, _touch(renewed, self._line.region))
        self._clock.paint(canvas, seconds, _touch(renewed, self._clock.region))
        if self._sung:
            self._sung.paint(canvas, seconds, renewed)
        return canvas.frame

    def still(self, index: int) -> Image.Image:
        """The frame of that index as an RGB picture."""
        return picture(self.paint(self.canvas(), index))


def _touch(rows: Sequence[slice], region: Region) -> bool:
    return any(one.start < region.y + region.height and region.y < one.stop for one in rows)


def _colours(ink: Floats) -> Colours:
    """The planes of a piece of the ink, which is opaque there."""
    luma, chroma = (plane.round().astype("int16") for plane in convert(ink[..., :3]))
    return luma, chroma
