"""Notes of the stems: the Basic Pitch network for pitched ones, the drum detector for drums."""

from antiphon.music.transcription.song import by_stem, transcribe

__all__ = ["by_stem", "transcribe"]
