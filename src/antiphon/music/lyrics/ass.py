"""ASS and SSA subtitles as lyrics: dialogue lines, their singers, and karaoke times of syllables (``\\k``)."""

import re

from antiphon.music.lyrics.entries import UNREADABLE_TIME, Reading, StampedLine, TimedText, clock_seconds, single_spaced

FIELDS: tuple[str, ...] = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
"""Of a dialogue line, where no ``Format:`` line says otherwise."""

_CLOCK = re.compile(r"(\d{1,3}):(\d{1,2}):(\d{1,2})[.:](\d{1,3})", re.ASCII)
_DIALOGUE = re.compile(r"Dialogue:[^,]{0,20},\s*\d{1,3}:\d{1,2}:\d{1,2}", re.ASCII)
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_KARAOKE = re.compile(r"\\[kK][fo]?(\d{1,6})", re.ASCII)
_DRAWING = re.compile(r"\\p(\d{1,2})", re.ASCII)


def is_ass(text: str) -> bool:
    """Whether this is ASS or SSA: it has their first section or a dialogue line with times."""
    return any(
        line.lower() == "[script info]" or _DIALOGUE.match(line) is not None
        for line in map(str.strip, text.split("\n"))
    )


def read_ass(text: str) -> Reading:
    """The dialogue lines, in the order of time."""
    reading = Reading(sorted=False)  # events may stand in any order
    fields, events = FIELDS, "[events]" not in text.lower()
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        key, _, value = line.partition(":")
        if line.startswith("["):
            events = line.lower() == "[events]"
        elif events and key.lower() == "format":
            fields = tuple(name.strip().lower() for name in value.split(","))
        elif events and key.lower() == "dialogue":
            values = dict(zip(fields, value.strip().split(",", len(fields) - 1), strict=False))
            _dialogue(reading, number, values)
    return reading


def _dialogue(reading: Reading, number: int, values: dict[str, str]) -> None:
    start, end = _seconds(values.get("start", "")), _seconds(values.get("end", ""))
    if start is None:
        reading.warn(UNREADABLE_TIME, number)
    words = _words(values.get("text", ""), start)
    if any(word.strip() for word, _ in words):
        singer = values.get("name", values.get("actor", "")).strip()
        reading.add(StampedLine(number, start, words, end, singer))


def _words(text: str, start: float | None) -> list[TimedText]:
    words: list[TimedText] = []
    time: float | None = None
    reached, drawing, position = start or 0.0, False, 0
    for block in [*_OVERRIDE.finditer(text), None]:
        piece = text[position : block.start() if block else None]
        if not drawing and piece:
            words.append((_plain(piece), time))
        if block is None:
            break
        position = block.end()
        for length in _KARAOKE.findall(block[0]):
            time = reached if start is not None else None
            reached += int(length) / 100
        if drawn := _DRAWING.findall(block[0]):
            drawing = drawn[-1] != "0"
    if time is not None:
        words.append(("", reached))  # the last syllable ends here
    return words


def _plain(text: str) -> str:
    return single_spaced(re.sub(r"\\[Nnh]", " ", text))


def _seconds(clock: str) -> float | None:
    found = _CLOCK.fullmatch(clock.strip())
    if not found:
        return None
    return clock_seconds(*found.groups())
