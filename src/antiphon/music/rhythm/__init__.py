"""Beats and bar lines of a song."""

from antiphon.music.rhythm.features import HeardSong, by_beat
from antiphon.music.rhythm.listening import Listened, listen
from antiphon.music.rhythm.song import Rhythm, analyse, of_song

__all__ = ["HeardSong", "Listened", "Rhythm", "analyse", "by_beat", "listen", "of_song"]
