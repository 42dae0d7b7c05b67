"""Layer of lyrics without times: they scroll with the song, none of them marked as the one being sung."""

from functools import lru_cache
from itertools import accumulate

import numpy as np

from antiphon.music.lyrics import Lyrics
from antiphon.music.video import text
from antiphon.music.video.ink import Canvas, Shorts
from antiphon.music.video.lyrics_layer import SetLine, lay_white, put, set_line, sung_region
from antiphon.music.video.progress_bar import opacities
from antiphon.music.video.setting import height, set_in
from antiphon.music.video.theme import Theme
from antiphon.music.video.yuv import Floats

LINE_GAP_SHARE = 0.35
"""Of a line's size, to the next."""

EDGE_SHARE = 0.22
"""Of the region's height, over which lines appear below and go above."""

OPACITY = 0.85


class ScrollingPart:
    """Paints lyrics that move up evenly: the first line enters as the song begins, the last leaves at its end.

    Args:
        theme: Of the video.
        lyrics: Lines without times of their own.
        duration: Of the song, in seconds.
    """

    def __init__(self, theme: Theme, lyrics: Lyrics, duration: float) -> None:
        self._theme, self._lines, self._duration = theme, lyrics.lines, max(duration, 1e-3)
        self.region = sung_region(theme)
        self._tops = [0, *accumulate(self._room(line.text) for line in self._lines)]
        self._drawn = lru_cache(maxsize=24)(self._draw)
        self._composed = lru_cache(maxsize=4)(self._compose)
        self._ramp = self._edges()

    def paint(self, canvas: Canvas, seconds: float, renewed: list[slice]) -> None:
        """Paints the lyrics of one moment; if they are as before, only the rows of the frame that are new beneath."""
        region = self.region
        way = self._tops[-1] + region.height
        scrolled = round(way * min(1.0, seconds / self._duration)) - region.height
        if canvas.changed(self, scrolled):
            renewed = [slice(region.y, region.y + region.height)]
        lay_white(canvas, region, self._composed(scrolled), renewed)

    def _compose(self, scrolled: int) -> tuple[Shorts, Shorts]:
        """What is seen when the lyrics' first ``scrolled`` rows have gone."""
        region = self.region
        mask = np.zeros((region.height, region.width), np.float32)
        for index, (top, bottom) in enumerate(zip(self._tops, self._tops[1:], strict=False)):
            if bottom > scrolled and top < scrolled + region.height:
                put(mask, self._drawn(index).coverage, top - scrolled)
        return opacities(mask * self._ramp)

    def _edges(self) -> Floats:
        """How opaque each row is: less towards the region's upper and lower edge."""
        rows = (np.arange(self.region.height, dtype=np.float32) + 0.5) / np.float32(self.region.height)
        ramp = np.clip(np.minimum(rows, 1 - rows) / EDGE_SHARE, 0, 1) * OPACITY
        return np.asarray(ramp[:, None], np.float32)

    def _draw(self, index: int) -> SetLine:
        return set_line(self._lines[index].text, self._theme, "following", self._theme.places["sung"], 1.0)

    def _room(self, words: str) -> int:
        """Pixels from the line's top to that of the next."""
        style, place = self._theme.texts["following"], self._theme.places["sung"]
        block = set_in(text.drawable(words).text, style, place.width, place.height)
        return round(self._theme.scale * (height(block, style) + LINE_GAP_SHARE * block.size))
