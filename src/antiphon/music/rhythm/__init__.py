"""Where the beats and the bar lines of a song fall."""

from antiphon.music.rhythm.song import Rhythm, analyse

__all__ = ["Rhythm", "analyse"]
