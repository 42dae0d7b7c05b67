"""Notes out of sound: the Basic Pitch network over each pitched stem, the drum detector over the drums."""

from antiphon.music.transcription.song import by_stem, transcribe

__all__ = ["by_stem", "transcribe"]
