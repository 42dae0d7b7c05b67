"""Beats and bar lines of a song."""

from antiphon.music.rhythm.onsets import onset_strength
from antiphon.music.rhythm.song import Rhythm, analyse, of_onsets

__all__ = ["Rhythm", "analyse", "of_onsets", "onset_strength"]
