"""Drum notes from the drum network's activations."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from antiphon.music.drums.velocity import levels_at, velocities
from antiphon.music.signal.peaks import local_maxima, parabolic_peaks
from antiphon.score.notes import Note

DRUMS = ("kick", "snare", "hihat", "tom", "cymbal")
"""What is struck; each has an onset activation and a velocity."""
DETAILS = ("open", "low", "mid", "high", "ride")
"""Given that its drum is struck: whether the hi-hat is open, which tom it is, whether the cymbal is a ride."""
KICK, SNARE, HIHAT, OPEN_HIHAT, CRASH, RIDE = 36, 38, 42, 46, 49, 51
TOMS = (45, 47, 50)
"""Low, mid and high."""
RING_S = {KICK: 0.15, SNARE: 0.15, HIHAT: 0.08, OPEN_HIHAT: 0.3, CRASH: 1.0, RIDE: 0.4} | dict.fromkeys(TOMS, 0.25)
"""Seconds that the notes of a key last."""
THRESHOLDS = (0.45, 0.55, 0.45, 0.6, 0.55)
"""Activation from which on each of ``DRUMS`` counts as struck; the best on our validation material."""
FRAME_RATE = 100
MIN_OPEN_ACTIVATION = 0.4
"""Activation from which on a hi-hat counts as open; closed ones are three times as frequent."""
MIN_DRUM_ACTIVATION_P90 = 0.7
"""Activation that a tenth of a drum's hits have to reach; else what was heard is another drum's noise."""
MIN_BEST_DRUM_ACTIVATION_P90 = 0.85
"""Activation that a tenth of some drum's hits have to reach; else there are no drums. Drums reach 0.93 and more (seven
songs of MDB Drums, the demo's), white, pink and brown noise 0.78 (as separated by us)."""
TOGETHER_FRAMES = 3
"""Frames within which two drums are struck together."""
PEAK_REACH_FRAMES = 2
"""Frames on either side over which a peak is the highest."""
MIN_GAP_FRAMES = 4
"""Frames between two hits of one drum, at least."""
IGNORED_END_FRAMES = 4
"""Frames before the end of the file that are not listened to: a file cut while it sounds ends with a click."""

Frames = NDArray[np.intp]
Activation = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HitActivations:
    """What the network heard, each 0–1: ``onsets`` and ``velocities`` are (frames, 5), a column for each of
    ``DRUMS``; ``details`` is (frames, 5), a column for each of ``DETAILS``."""

    onsets: Activation
    velocities: Activation
    details: Activation

    def __len__(self) -> int:
        return len(self.onsets)


def peaks(onset: Activation, threshold: float) -> Frames:
    """Frames, ascending, at which ``onset`` (frames,) has a local peak of ``threshold`` or more; of two closer than
    ``MIN_GAP_FRAMES`` the higher one."""
    kept: list[int] = []
    for frame in np.flatnonzero(local_maxima(onset, PEAK_REACH_FRAMES) & (onset >= threshold)).tolist():
        if kept and frame - kept[-1] < MIN_GAP_FRAMES:
            if onset[frame] > onset[kept[-1]]:
                kept[-1] = frame
        else:
            kept.append(frame)
    return np.array(kept, np.intp)


def sure_hits(heard: HitActivations) -> NDArray[np.float32]:
    """Of each frame, how many of kick, snare, hi-hat and toms are struck in it beyond doubt."""
    counts = np.zeros(len(heard), np.float32)
    for column, threshold in enumerate(THRESHOLDS[: DRUMS.index("cymbal")]):
        frames = peaks(heard.onsets[:, column], threshold)
        counts[frames] += heard.onsets[frames, column] > MIN_BEST_DRUM_ACTIVATION_P90
    return counts


def hits(heard: HitActivations, song: NDArray[np.float16]) -> list[Note]:
    """The notes in what the network heard in the levels ``song`` (frames, BANDS), in order of start and key."""
    onsets = heard.onsets[: max(len(heard) - IGNORED_END_FRAMES, 0)]
    struck = _struck(onsets)
    notes: list[Note] = []
    for column, (drum, frames) in enumerate(zip(DRUMS, struck, strict=True)):
        others = np.concatenate([other for order, other in enumerate(struck) if order != column])
        strengths = velocities(levels_at(song, drum, frames), _apart(frames, others))
        times = parabolic_peaks(heard.onsets[:, column], frames) / FRAME_RATE
        details = at_hits(heard.details, frames)
        for time, strength, detail in zip(times.tolist(), strengths.tolist(), details, strict=True):
            key = _key(drum, detail)
            start = max(time, 0.0)
            notes.append(Note(key, start, start + RING_S[key], strength))
    return _ended(sorted(notes, key=lambda note: (note.start, note.pitch)), len(heard) / FRAME_RATE)


def _ended(notes: list[Note], duration: float) -> list[Note]:
    """Each note ended by the next of its key, and by the end of the song at ``duration`` seconds."""
    following: dict[int, float] = {}
    ended = []
    for note in reversed(notes):
        ended.append(replace(note, end=min(note.end, following.get(note.pitch, duration))))
        following[note.pitch] = note.start
    return ended[::-1]


def _struck(onsets: Activation) -> list[Frames]:
    """The peaks of each drum; none of one that the network is never sure of, and none at all if it is sure of none."""
    found = [peaks(onsets[:, column], threshold) for column, threshold in enumerate(THRESHOLDS)]
    sure = [_sureness(onsets[frames, column]) for column, frames in enumerate(found)]
    played = max(sure) >= MIN_BEST_DRUM_ACTIVATION_P90
    return [
        frames if played and one >= MIN_DRUM_ACTIVATION_P90 else frames[:0]
        for frames, one in zip(found, sure, strict=True)
    ]


def _sureness(activation: Activation) -> float:
    """What a tenth of the hits reach."""
    return float(np.percentile(activation.astype(np.float32), 90)) if len(activation) else 0.0


def _apart(frames: Frames, others: Frames) -> NDArray[np.bool_]:
    """Which of ``frames`` have none of ``others`` near them."""
    ordered = np.sort(others)
    last = np.searchsorted(ordered, frames + TOGETHER_FRAMES, "right")
    first = np.searchsorted(ordered, frames - TOGETHER_FRAMES, "left")
    return np.asarray(first == last)


def at_hits(values: Activation, frames: Frames) -> NDArray[np.float64]:
    """Mean of ``values`` (frames, n) over each of the given frames and its neighbours."""
    padded = np.pad(values.astype(np.float64), ((1, 1), (0, 0)), mode="edge")
    return np.asarray((padded[frames] + padded[frames + 1] + padded[frames + 2]) / 3)


def _key(drum: str, detail: NDArray[np.float64]) -> int:
    """The General MIDI key of a hit on ``drum``."""
    opened, low, mid, high, ride = detail.tolist()
    if drum == "hihat":
        return OPEN_HIHAT if opened > MIN_OPEN_ACTIVATION else HIHAT
    if drum == "tom":
        return TOMS[int(np.argmax([low, mid, high]))]
    if drum == "cymbal":
        return RIDE if ride > 0.5 else CRASH
    return KICK if drum == "kick" else SNARE
