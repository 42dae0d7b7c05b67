"""Separation of a song into stems."""

from antiphon.music.separation.engine import SAMPLE_RATE, STEMS, Separated, SeparationKind, separate

__all__ = ["SAMPLE_RATE", "STEMS", "Separated", "SeparationKind", "separate"]
