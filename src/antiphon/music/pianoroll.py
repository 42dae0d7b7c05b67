"""Piano roll of a transcription as a picture: time to the right, pitch upwards, a colour for each instrument."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import ceil, log2
from pathlib import Path
from statistics import median

import fontpkg_inter
from PIL import Image, ImageDraw, ImageFont

from antiphon.score.notes import InstrumentPart, Note

WIDTH, HEIGHT = 1_920, 1_080
SCALE = 2
"""Drawn this much larger and scaled down, for smooth edges."""

BACKGROUND = (13, 15, 20)
PANEL = (20, 23, 31)
BLACK_ROW = (16, 18, 25)
WHITE_KEY, BLACK_KEY = (168, 175, 194), (24, 27, 36)
LINE = (38, 43, 56)
FAINT = (29, 33, 44)
TEXT = (232, 235, 243)
QUIET = (133, 141, 161)
PALETTE = (
    (255, 111, 134),
    (70, 209, 190),
    (250, 196, 92),
    (150, 134, 255),
    (91, 175, 255),
    (255, 149, 89),
    (142, 222, 120),
    (240, 138, 222),
)
"""Colours of the pitched instruments in their order; drums have their own."""
DRUM_COLOUR = (196, 205, 228)

LEFT, RIGHT, TOP, BOTTOM = 120, 48, 108, 72
LANE, GAP = 40, 24
"""Height of a drum's row, and the space between the notes and the drums."""
KEYBOARD = 18
"""Width of the keyboard beside the notes."""
BLACK_KEYS = frozenset((1, 3, 6, 8, 10))
BAR_APART, NUMBER_APART = 14, 34
"""Pixels from one bar line, or bar's number, to the next, at least."""
STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200)
LANES = (
    ("Cymbal", frozenset((49, 51, 52, 53, 55, 57, 59))),
    ("Hi-hat", frozenset((42, 44, 46))),
    ("Tom", frozenset((41, 43, 45, 47, 48, 50))),
    ("Snare", frozenset((37, 38, 39, 40))),
    ("Kick", frozenset((35, 36))),
)
"""The drums' rows from the top, with their General MIDI percussion keys; every other key is percussion."""
PERCUSSION = "Percussion"

Colour = tuple[int, int, int]
Rectangle = tuple[float, float, float, float]


def draw(instruments: Sequence[InstrumentPart], path: Path, *, duration: float, bars: Sequence[float] = ()) -> None:
    """Write a piano roll as a PNG of 1920×1080 pixels.

    Args:
        instruments: The notes.
        path: The file to write.
        duration: Seconds that the picture spans.
        bars: Starts of the bars in seconds, from bar 1 on, where lines are drawn; without them, at round seconds.
    """
    _Roll(instruments, duration, bars).draw().save(path, "PNG", optimize=True)


@cache
def _font(size: float, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(fontpkg_inter.ROOT / "files" / "Inter[opsz,wght].ttf"), round(size * SCALE))
    font.set_variation_by_axes([min(max(size, 14), 32), weight])
    return font


class _Roll:
    """The picture while it is drawn; every measure is in pixels of the finished picture."""

    def __init__(self, instruments: Sequence[InstrumentPart], duration: float, bars: Sequence[float]) -> None:
        self.bars = bars
        self.pitched = [instrument for instrument in instruments if not instrument.is_drum]
        self.drums = [note for instrument in instruments if instrument.is_drum for note in instrument.notes]
        self.duration = max(duration, 0.1)
        played = {_lane(note) for note in self.drums}
        self.rows = [name for name in (PERCUSSION, *(name for name, _ in LANES)) if name in played]
        below = len(self.rows) * LANE + (GAP if self.rows else 0)
        self.notes_box = (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM - below)
        self.drums_box = (LEFT, HEIGHT - BOTTOM - len(self.rows) * LANE, WIDTH - RIGHT, HEIGHT - BOTTOM)
        pitches = [note.pitch for instrument in self.pitched for note in instrument.notes] or [60]
        spare = max(24 - (max(pitches) - min(pitches)), 4) // 2
        self.lowest, self.highest = min(pitches) - spare, max(pitches) + spare + 1
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), BACKGROUND)
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    def draw(self) -> Image.Image:
        self._panel(self.notes_box)
        self._keys()
        if self.rows:
            self._panel(self.drums_box)
            self._lanes()
        self._seconds()
        self._bar_lines()
        for order in reversed(range(len(self.pitched))):
            for note in self.pitched[order].notes:
                self._note(note, PALETTE[order % len(PALETTE)])
        for note in self.drums:
            self._hit(note)
        self._legend()
        if not self.pitched and not self.drums:
            self._text((WIDTH / 2, HEIGHT / 2), "No notes were heard", 22, 500, QUIET, "mm")
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    def _x(self, time: float) -> float:
        left, _, right, _ = self.notes_box
        return left + (right - left) * min(max(time / self.duration, 0.0), 1.0)

    def _y(self, pitch: float) -> float:
        """The lower edge of a pitch's row."""
        _, top, _, bottom = self.notes_box
        return bottom - (bottom - top) * (pitch - self.lowest) / (self.highest - self.lowest)

    def _box(self, box: Rectangle, fill: tuple[int, ...], radius: float = 0) -> None:
        self.pen.rounded_rectangle([value * SCALE for value in box], radius * SCALE, fill)

    def _text(self, at: tuple[float, float], text: str, size: float, weight: int, colour: Colour, anchor: str) -> None:
        self.pen.text((at[0] * SCALE, at[1] * SCALE), text, colour, _font(size, weight), anchor)

    def _panel(self, box: Rectangle) -> None:
        left, top, right, bottom = box
        self._box((left - 8, top - 8, right + 8, bottom + 8), PANEL, 8)

    def _keys(self) -> None:
        left, top, right, bottom = self.notes_box
        self._box((left - KEYBOARD - 8, top, left - 8, bottom), WHITE_KEY, 2)
        for pitch in range(self.lowest, self.highest):
            low, high = self._y(pitch), self._y(pitch + 1)
            if pitch % 12 in BLACK_KEYS:
                self._box((left, high, right, low), BLACK_ROW)
            if pitch % 12 == 0:
                self._box((left, low - 0.5, right, low + 0.5), LINE)
                self._text((left - KEYBOARD - 24, (low + high) / 2), f"C{pitch // 12 - 1}", 15, 500, QUIET, "rm")
            if pitch % 12 in BLACK_KEYS:
                self._box((left - KEYBOARD - 8, high, left - 14, low), BLACK_KEY, 1)
            if pitch % 12 in (0, 5):
                self._box((left - KEYBOARD - 8, low - 0.5, left - 8, low + 0.5), BLACK_KEY)

    def _lanes(self) -> None:
        left, top, right, _ = self.drums_box
        for row, name in enumerate(self.rows):
            middle = top + (row + 0.5) * LANE
            self._box((left, middle - 0.5, right, middle + 0.5), LINE)
            self._text((left - 24, middle), name, 15, 500, QUIET, "rm")

    def _seconds(self) -> None:
        step = next((step for step in STEPS if self.duration / step <= 16), STEPS[-1])
        bottom = self.drums_box[3]
        for count in range(int(self.duration / step) + 1):
            x = self._x(count * step)
            if not self.bars:
                self._upright(x, FAINT)
            self._text((x, bottom + 26), _clock(count * step, step), 15, 450, QUIET, "mt")

    def _bar_lines(self) -> None:
        """Every bar, or every second, fourth … where they would stand too close, and the number of as many as fit."""
        left, top, right, _ = self.notes_box
        width = (right - left) / max(self.duration, 0.1)
        closest = width * median([after - before for before, after in pairwise(self.bars)] or [self.duration])
        drawn, numbered = (2 ** max(ceil(log2(space / closest)), 0) for space in (BAR_APART, NUMBER_APART))
        for order, second in enumerate(self.bars):
            if order % drawn == 0:
                self._upright(self._x(second), LINE if order % numbered == 0 else FAINT)
            # A pick-up's number would run into that of the bar after it.
            if order % numbered == 0 and (order or len(self.bars) < 2 or self.bars[1] * width > NUMBER_APART):
                self._text((self._x(second), top - 12), str(order + 1), 13, 450, QUIET, "mb")

    def _upright(self, x: float, colour: Colour) -> None:
        """A line through notes and drums."""
        for box in (self.notes_box, self.drums_box) if self.rows else (self.notes_box,):
            self._box((x - 0.5, box[1], x + 0.5, box[3]), colour)

    def _note(self, note: Note, colour: Colour) -> None:
        x, end = self._x(note.start), self._x(note.end)
        low, high = self._y(note.pitch), self._y(note.pitch + 1)
        end = max(end - 1, x + 2.5)
        radius = min(4.0, (low - high) / 2, (end - x) / 2)
        # A dark rim keeps a note apart from those of other instruments that it lies on.
        self._box((x - 1, high - 0.5, end + 1, low + 0.5), PANEL, radius + 1)
        self._box((x, high + 0.5, end, low - 0.5), (*colour, _alpha(note)), radius)

    def _hit(self, note: Note) -> None:
        row = self.rows.index(_lane(note))
        x, y = self._x(note.start), self.drums_box[1] + (row + 0.5) * LANE
        reach = LANE * (0.16 + 0.24 * note.velocity)
        self._box((x, y - reach, x + 3.5, y + reach), (*DRUM_COLOUR, _alpha(note)), 1.75)

    def _legend(self) -> None:
        entries = [
            (instrument.name, len(instrument.notes), PALETTE[order % len(PALETTE)])
            for order, instrument in enumerate(self.pitched)
        ]
        if self.drums:
            entries.append(("Drums", len(self.drums), DRUM_COLOUR))
        widths = [_width(name, 19, 600) + _width(str(count), 17, 450) + 38 for name, count, _ in entries]
        space = WIDTH - LEFT - RIGHT
        lines = max(1, min(len(entries), 3, ceil((sum(widths) + 44 * (len(widths) - 1)) / space)))
        per_line = ceil(len(entries) / lines)
        for order, (name, count, colour) in enumerate(entries):
            line, place = divmod(order, per_line)
            x = LEFT + sum(width + 44 for width in widths[line * per_line :][:place])
            y = TOP / 2 - 4 + (line - (lines - 1) / 2) * 30
            self._box((x, y - 8, x + 16, y + 8), colour, 5)
            self._text((x + 28, y), name, 19, 600, TEXT, "lm")
            self._text((x + 38 + _width(name, 19, 600), y + 1), str(count), 17, 450, QUIET, "lm")


def _width(text: str, size: float, weight: int) -> float:
    return _font(size, weight).getlength(text) / SCALE


def _lane(note: Note) -> str:
    return next((name for name, keys in LANES if note.pitch in keys), PERCUSSION)


def _alpha(note: Note) -> int:
    """Loud notes are opaque, faint ones still clearly there."""
    return round(255 * min(0.4 + 0.65 * note.velocity, 1.0))


def _clock(seconds: float, step: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}" if step < 1 else f"{int(minutes)}:{int(rest):02d}"
