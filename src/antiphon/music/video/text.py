"""Text layout: cleaned, broken into lines, set in the largest size that its box allows."""

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from antiphon.music.video.fonts import Face, face_for, inter

_BIDIRECTIONAL = {"R", "AL", "AN"}
_JOINERS = "\u200c\u200d"
_NO_LINE_START = "、。，．・：；？！）」』】〉》〕］｝ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々…,.!?:;)]}’”%"
_ELLIPSIS = "…"

KERNING = 0.025
"""By how much pairs of letters that are set apart, such as WW, may make a line longer than it is measured."""


@dataclass(frozen=True)
class GlyphRun:
    """Neighbouring characters of one face, at ``x`` em from the start of their line."""

    text: str
    family: str
    x: float


@dataclass(frozen=True)
class Block:
    """Text set in lines. ``size`` in pixels, ``widths`` of the lines in em."""

    lines: tuple[tuple[GlyphRun, ...], ...]
    widths: tuple[float, ...]
    size: float
    weight: int
    files: frozenset[Path]


@dataclass(frozen=True)
class Drawable:
    """What of a text can be drawn, and what had to be left out."""

    text: str
    dropped: tuple[str, ...]


def clean(text: str | None) -> str:
    """The text in Unicode NFC, on one line, without control characters, surrogates or invisible formatting."""
    kept = []
    for character in unicodedata.normalize("NFC", text or ""):
        category = unicodedata.category(character)
        if category in {"Cc", "Zs", "Zl", "Zp"}:
            kept.append(" ")
        elif category not in {"Cf", "Cs", "Co", "Cn"} or character in _JOINERS:
            kept.append(character)
    return re.sub(" +", " ", "".join(kept)).strip()


def drawable(text: str) -> Drawable:
    """Leaves out the characters that no available face has, so that none becomes a box."""
    kept: list[str] = []
    dropped: list[str] = []
    for character in clean(text):
        if character in _JOINERS or (unicodedata.category(character) == "Mn" and not kept):
            if kept and unicodedata.bidirectional(kept[-1]) in _BIDIRECTIONAL:
                kept.append(character)
        elif "\ufe00" <= character <= "\ufe0f":  # variation selectors: a choice of glyph, nothing of their own
            continue
        elif face_for(character) is not None:
            kept.append(character)
        elif character not in dropped:
            dropped.append(character)
    return Drawable(re.sub(" +", " ", "".join(kept)).strip(), tuple(dropped))


def fit(text: str, *, width: float, sizes: Sequence[tuple[float, int]], weight: int) -> Block:
    """Sets drawable text in the first of ``sizes`` that holds it in ``width`` pixels.

    ``sizes`` are pairs of pixels and the number of lines allowed at that size, the preferred first. Words stay whole as
    long as a size allows it; what does not fit at all ends with an ellipsis at the last size.
    """
    width *= 1 - KERNING
    smallest, most = sizes[-1]
    for breakable in (False, True):
        for size, lines in sizes:
            broken = _break(text, width, weight, size, breakable)
            if len(broken) <= lines and all(measure(line, weight, size) * size <= width for line in broken):
                return _block(_balance(text, broken, width, weight, size, breakable), size, weight)
    kept = _break(text, width, weight, smallest, True)[:most]
    last = kept[-1]
    while last and measure(last + _ELLIPSIS, weight, smallest) * smallest > width:
        last = last[:-1]
    return _block([*kept[:-1], last.rstrip() + _ELLIPSIS], smallest, weight)


def measure(text: str, weight: int, size: float) -> float:
    """The width of drawable text in em at a size."""
    script = _script_face(text, text)
    return sum(_advance(character, text, weight, size, script) for character in text)


def right_to_left(text: str) -> bool:
    """Whether the text has letters that are written from right to left."""
    return any(unicodedata.bidirectional(character) in _BIDIRECTIONAL for character in text)


def svg(block: Block, x: float, baseline: float, leading: float, style: str, anchor: str = "start") -> str:
    """The block as SVG ``<text>`` elements, the first line on ``baseline``; lines are ``leading`` × size apart."""
    elements = []
    for number, (line, width) in enumerate(zip(block.lines, block.widths, strict=True)):
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor] * block.size
        y = baseline + number * leading * block.size
        # Every run is a chunk of its own: resvg sets a whole chunk in the fallback face if that has all its characters.
        for run in line:
            elements.append(
                f'<text xml:space="preserve" x="{left + run.x * block.size:.2f}" y="{y:.2f}" '
                f'font-family="\'{run.family}\'" font-size="{block.size}" font-weight="{block.weight}" {style}>'
                f"{escape(run.text)}</text>"
            )
    return "".join(elements)


def _language(text: str) -> str:
    """Which regional forms Han characters take: Japanese beside kana, Korean beside hangul, else Chinese."""
    if any("\u3040" <= character <= "\u30ff" for character in text):
        return "JP"
    return "KR" if any("\uac00" <= character <= "\ud7a3" for character in text) else "SC"


def _face(character: str, text: str) -> Face:
    return face_for(character, _language(text)) or inter()


def _script_face(line: str, text: str) -> Face | None:
    """The face of a line's right-to-left letters, which then sets the whole line as far as it can."""
    letter = next((character for character in line if unicodedata.bidirectional(character) in _BIDIRECTIONAL), "")
    return _face(letter, text) if letter else None


def _advance(character: str, text: str, weight: int, size: float, script: Face | None = None) -> float:
    if character in _JOINERS or unicodedata.category(character) == "Mn":
        return 0.0
    face = script if script and script.has(character) else _face(character, text)
    return face.advance(character, weight, size)


def _block(lines: Sequence[str], size: float, weight: int) -> Block:
    whole = "".join(lines)
    set_lines = tuple(tuple(_runs(line, whole, weight, size)) for line in lines)
    files = {file for character in whole if character not in _JOINERS for file in _face(character, whole).files}
    return Block(set_lines, tuple(measure(line, weight, size) for line in lines), size, weight, frozenset(files))


def _runs(line: str, whole: str, weight: int, size: float) -> list[GlyphRun]:
    script = _script_face(line, whole)
    if script:  # one run, so that the order of the words and the joins between the letters stay right
        return [GlyphRun(line, script.family, 0.0)]
    runs: list[GlyphRun] = []
    x = 0.0
    for family, group in itertools.groupby(_attached(line, whole), key=lambda pair: pair[1]):
        text = "".join(character for character, _ in group)
        runs.append(GlyphRun(text, family, x))
        x += sum(_advance(character, whole, weight, size) for character in text)
    return runs


def _attached(line: str, whole: str) -> list[tuple[str, str]]:
    """Each character with its family; marks and joiners follow the character that they stand on."""
    pairs: list[tuple[str, str]] = []
    for character in line:
        mark = character in _JOINERS or unicodedata.category(character).startswith("M")
        pairs.append((character, pairs[-1][1] if mark and pairs else _face(character, whole).family))
    return pairs


def _break(text: str, width: float, weight: int, size: float, breakable: bool) -> list[str]:
    """Greedy lines of at most ``width`` pixels; a piece wider than that is cut if ``breakable``."""

    def fits(line: str) -> bool:
        return measure(line.rstrip(), weight, size) * size <= width

    lines = [""]
    for piece in _pieces(text):
        if fits(lines[-1] + piece):
            lines[-1] += piece
            continue
        if lines[-1]:
            lines.append("")
        for part in piece if breakable else [piece]:
            if lines[-1] and not fits(lines[-1] + part):
                lines.append("")
            lines[-1] += part
    return [line.strip() for line in lines if line.strip()] or [""]


def _pieces(text: str) -> list[str]:
    """The text cut where a line may end: after spaces and hyphens, and between CJK characters."""
    pieces: list[str] = []
    for character in text:
        wide = unicodedata.east_asian_width(character) in {"W", "F"}
        previous = pieces[-1][-1] if pieces else " "
        may_break = previous in " -/" or wide or unicodedata.east_asian_width(previous) in {"W", "F"}
        if character == " " or character in _NO_LINE_START or unicodedata.category(character).startswith("M"):
            may_break = not pieces
        if may_break or not pieces:
            pieces.append(character)
        else:
            pieces[-1] += character
    return pieces


def _balance(text: str, lines: list[str], width: float, weight: int, size: float, breakable: bool) -> list[str]:
    """As many lines as before, as equally long as can be: no single word is left alone on the last one."""
    low, high, best = width / 2, width, lines
    for _ in range(7 if len(lines) > 1 else 0):
        middle = (low + high) / 2
        tried = _break(text, middle, weight, size, breakable)
        if len(tried) <= len(lines) and all(measure(line, weight, size) * size <= middle for line in tried):
            high, best = middle, tried
        else:
            low = middle
    return best
