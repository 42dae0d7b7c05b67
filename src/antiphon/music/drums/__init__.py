"""Finds the hits in a drum stem: kick, snare, closed and open hi-hat, toms, crash and ride.

Our own network (``MODEL_CARD.md``) says a hundred times a second what was struck and how hard; peaks of that above
thresholds are hits.
"""

from pathlib import Path

from antiphon.music.drums.network import DrumModel, listen
from antiphon.music.drums.onsets import CRASH, HIHAT, KICK, OPEN_HIHAT, RIDE, SNARE, TOMS, hits
from antiphon.music.progress import Progress
from antiphon.score.notes import Note

__all__ = ["CRASH", "HIHAT", "KICK", "OPEN_HIHAT", "RIDE", "SNARE", "TOMS", "detect"]


def detect(path: Path, *, duration: float, progress: Progress, threads: int = 1) -> list[Note]:
    """The hits in the drum stem ``path``, which lasts about ``duration`` seconds (for ``progress``), in order of start
    and key. Keys are General MIDI percussion; velocity follows the strength of the hit. Raises ``NotAudio``."""
    song = listen(path, duration=duration, progress=progress)
    return hits(DrumModel(threads=threads).activations(song, progress), song)
