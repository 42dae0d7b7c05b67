"""Lyrics with the times at which they are sung, from LRC, SRT, WebVTT, ASS, TTML or plain text."""

from antiphon.music.lyrics.lines import Line, Lyrics, Singer, Word
from antiphon.music.lyrics.parsing import parse

__all__ = ["Line", "Lyrics", "Singer", "Word", "parse"]
