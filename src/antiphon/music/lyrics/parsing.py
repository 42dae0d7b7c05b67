"""Lyrics of a song from a text in any of the formats that are read."""

import re

from antiphon.music.lyrics.ass import is_ass, read_ass
from antiphon.music.lyrics.cues import is_cues, read_cues
from antiphon.music.lyrics.entries import Reading
from antiphon.music.lyrics.lines import Lyrics
from antiphon.music.lyrics.lrc import read_lrc
from antiphon.music.lyrics.placing import placed, spread
from antiphon.music.lyrics.ttml import is_ttml, read_ttml

_INVISIBLE = re.compile("[\ufeff\u200b\u2060]")
"""Byte order marks, also where files were joined, and spaces without a width."""

NOT_TIMED = "'lyrics': they have no times; they scroll with the song"


def parse(text: str, duration: float) -> Lyrics:
    """Lyrics of a song of ``duration`` seconds, from LRC, SRT, WebVTT, ASS, TTML or plain text.

    Never fails: what has a bad time is put where it likely belongs, and what is not understood is told.
    """
    read = _read(re.sub(r"\r*\n|\r", "\n", _INVISIBLE.sub("", text)))
    if _has_times(read):
        return Lyrics(placed(read, duration), read.warnings())
    lines = spread([entry.text for entry in read.entries if entry.text], duration)
    warnings = read.warnings()
    return Lyrics(lines, (*warnings, NOT_TIMED) if lines else warnings, timed=not lines)


def _read(text: str) -> Reading:
    if is_ttml(text):
        return read_ttml(text)
    if is_ass(text):
        return read_ass(text)
    return read_cues(text) if is_cues(text) else read_lrc(text)


def _has_times(read: Reading) -> bool:
    """Whether the file says when: some line has a time, and not all of them the very first moment."""
    starts = [entry.start for entry in read.entries if entry.text and entry.start is not None]
    if not starts:
        return any(entry.start is not None for entry in read.entries) and not any(e.text for e in read.entries)
    return len(starts) == 1 or any(starts)
