"""Drum hits of a drum stem: kick, snare, closed and open hi-hat, toms, crash and ride.

Our own network (``MODEL_CARD.md``) says a hundred times a second what was struck and how hard; peaks of that above
thresholds are hits.
"""

from pathlib import Path

from antiphon.music.drums.network import DrumModel, listen
from antiphon.music.drums.onsets import CRASH, HIHAT, KICK, OPEN_HIHAT, RIDE, SNARE, TOMS, hits
from antiphon.music.progress import Progress
from antiphon.score.notes import Note

__all__ = ["CRASH", "HIHAT", "KICK", "OPEN_HIHAT", "RIDE", "SNARE", "TOMS", "detect"]


def detect(path: Path, *, duration: float, progress: Progress, gain_db: float = 0.0, threads: int = 1) -> list[Note]:
    """Hits in a drum stem, in order of start and key.

    Args:
        path: The stem.
        duration: About how many seconds it lasts, for ``progress`` only.
        progress: Is told the share of the work that is done.
        gain_db: dB by which the stem is made louder, so that a quiet song is heard as a loud one is.
        threads: Of the network.

    Returns:
        Notes with General MIDI percussion keys; start and end in seconds, velocity 0–1 by the strength of the hit.

    Raises:
        NotAudio: The file cannot be opened.
    """
    song = listen(path, duration=duration, gain_db=gain_db, progress=progress)
    return hits(DrumModel(threads=threads).activations(song, progress), song)
