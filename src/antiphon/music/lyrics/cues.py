"""SRT and WebVTT subtitles as lyrics: cues with a start and an end, in WebVTT with times within, too.

WebVTT: https://www.w3.org/TR/webvtt1/. SRT has no standard; read is what SubRip writes.
"""

import html
import re
from collections.abc import Iterator

from antiphon.music.lyrics.entries import UNREADABLE_TIME, Reading, StampedLine, TimedText, clock_seconds, single_spaced

_CLOCK = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?", re.ASCII)
_WITHIN = re.compile(rf"<{_CLOCK}>", re.ASCII)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s([^<>]*)>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_FAR_REFERENCE = re.compile(r"&#(?:\d{8}|[xX][0-9a-fA-F]{7})[0-9a-fA-F]*;?")
_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")


def is_cues(text: str) -> bool:
    """Whether this is SRT or WebVTT: a line of it is a cue's times."""
    return any(map(_begins_cue, text.split("\n")))


def read_cues(text: str) -> Reading:
    """The cues of SRT or WebVTT, the rows of each as one line. A cue whose times cannot be read is told."""
    reading = Reading()
    for block in _blocks(text):
        _cue(reading, block)
    return reading


def _blocks(text: str) -> Iterator[list[tuple[int, str]]]:
    """The blocks of numbered rows, which empty rows part, and rows with a cue's times: these begin a block, with the
    number before them."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        numbered = bool(block) and block[-1][1].strip().isdigit()
        if not line.strip():
            if block and not (numbered and len(block) == 1):
                yield block
                block = []
            continue
        if _begins_cue(line) and len(block) > numbered:
            ended = len(block) - numbered
            yield block[:ended]
            block = block[ended:]
        block.append((number, line))
    if block:
        yield block


def _begins_cue(line: str) -> bool:
    return "-->" in line and _TIMES.fullmatch(line) is not None


def _cue(reading: Reading, block: list[tuple[int, str]]) -> None:
    head = block[0][1]
    if head.startswith("WEBVTT") or (_ASIDE.match(head) and "-->" not in head):
        return
    at = next((index for index, (_, line) in enumerate(block[:2]) if "-->" in line), None)
    if at is None:  # text after an empty row in a cue, which belongs to it
        _continue(reading, block)
        return
    number, line = block[at]
    times = _TIMES.fullmatch(line)
    start, end = (clock_seconds(*times.groups()[:4]), clock_seconds(*times.groups()[4:])) if times else (None, None)
    if times is None:
        reading.warn(UNREADABLE_TIME, number)
    text = "\n".join(row for _, row in block[at + 1 :])
    voice = _VOICE.search(text)
    singer = single_spaced(_unescaped(voice[1])).strip() if voice else ""
    reading.add(StampedLine(number, start, _words(text), end, singer))


def _continue(reading: Reading, block: list[tuple[int, str]]) -> None:
    if not reading.entries:
        return
    words = _words("\n".join(row for _, row in block))
    reading.entries[-1].words += [(" ", None), *words]


def _words(text: str) -> list[TimedText]:
    pieces = _WITHIN.split(text)  # text, then the four parts of a time and a text, again and again
    words: list[TimedText] = [(_plain(pieces[0]), None)]
    for index in range(1, len(pieces), 5):
        words.append((_plain(pieces[index + 4]), clock_seconds(*pieces[index : index + 4])))
    return [(word, time) for word, time in words if word.strip() or time is not None]


def _plain(text: str) -> str:
    return single_spaced(_unescaped(_MARKUP.sub("", text)))


def _unescaped(text: str) -> str:
    """The text with its character references; one to an impossible character is left out."""
    return html.unescape(_FAR_REFERENCE.sub("", text))
