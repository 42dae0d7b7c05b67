"""Notes of the stems: an ear for what plays, the pitch tracker for voices, the drum detector for drums."""

from antiphon.music.transcription.song import Transcription, by_stem, transcribe

__all__ = ["Transcription", "by_stem", "transcribe"]
