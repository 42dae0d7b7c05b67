"""Notes of a bass: the best path through the low pitches, aligned to its attacks."""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.viterbi import best_path, runs
from antiphon.music.transcription.attacks import align, peaks, rise
from antiphon.music.transcription.lowpitch import MIN_PITCH, LowPitches
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.sound import in_db, loud_db
from antiphon.music.transcription.transitions import pitch_moves

SALIENCE_WEIGHT = 0.7
"""Of the salience against the costs below."""
CHANGE_COST, SWITCH_COST = 6.0, 3.0
"""Costs of another pitch, and of beginning or ending."""
MIN_SALIENCE_SHARE = 0.55
"""Share of a strong note's salience that a note has to have."""
MAX_BELOW_LOUD_DB = 25.0
"""dB under the loud passages at which the bass rests."""
MIN_NOTE_FRAMES = 4
MIN_ATTACK_STRENGTH = 4.5
"""Least strength of an attack: dB of the level's rise count 0.7, the rise of the harmonics' log energy, with and
without the drums, 5 each."""
MIN_MEDIAN_PURITY = 0.21
"""A line half of whose notes stand out less than this is noise (up to 0.17), or drums (0.18); a bass under distorted
guitars has 0.26."""
PURITY_OFFSET = 0.3
"""Added to how far a note stands out, so that a clear bass note is as sure as the network is of one."""
BLOCK_FRAMES = 4096


def bass_line(low: LowPitches, level: NDArray[np.float32]) -> list[NoteEvent]:
    """The notes, one at a time; their activation 0–1 says how far their harmonics stand out. ``level`` (frames,) is
    the bass's RMS amplitude. Where nothing has a pitch there are none."""
    if not len(low.salience):
        return []
    path = _path(low.salience, level)
    spans = [
        (start, end, int(path[start]))
        for start, end in runs(path)
        if path[start] < low.salience.shape[1] and end - start >= MIN_NOTE_FRAMES
    ]
    clear = [float(low.purity[start:end, column].mean(dtype=np.float64)) for start, end, column in spans]
    if not spans or float(np.median(clear)) < MIN_MEDIAN_PURITY:
        return []
    events = [
        NoteEvent(start, end, MIN_PITCH + column, min(max(PURITY_OFFSET + purity, 0.0), 1.0))
        for (start, end, column), purity in zip(spans, clear, strict=True)
    ]
    return align(events, peaks(_strength(low, level, path), MIN_ATTACK_STRENGTH))


def _path(salience: NDArray[np.float16], level: NDArray[np.float32]) -> NDArray[np.intp]:
    """The column in each frame, or the number of columns where nothing plays."""
    strongest = salience.max(axis=1).astype(np.float32)
    strong = strongest[strongest > 0.1 * strongest.max()]
    usual = float(np.percentile(strong, 90)) if len(strong) else 1.0
    rests = in_db(level) < loud_db(level) - MAX_BELOW_LOUD_DB
    nothing = np.where(rests, usual, MIN_SALIENCE_SHARE * usual).astype(np.float32)
    blocks = (
        SALIENCE_WEIGHT * np.column_stack([salience[part], nothing[part]]).astype(np.float32)
        for part in (slice(first, first + BLOCK_FRAMES) for first in range(0, len(salience), BLOCK_FRAMES))
    )
    return best_path(blocks, pitch_moves(salience.shape[1], change=CHANGE_COST, switch=SWITCH_COST)).states


def _strength(low: LowPitches, level: NDArray[np.float32], path: NDArray[np.intp]) -> NDArray[np.float32]:
    """How much each frame looks like an attack of the pitch that is played, or comes next."""
    smooth = np.convolve(np.pad(20 * np.log10(level + 1e-5), 1, mode="edge"), np.ones(3) / 3, "valid")
    total = 0.7 * np.clip(rise(smooth, 4), 0, 12)
    lag = 6
    if len(path) > lag:
        before = np.arange(len(path) - lag)
        pitch = _coming(path, low.salience.shape[1])[before + lag]
        for energy in (low.body, low.hit):
            rising = energy[before + lag, pitch].astype(np.float32) - energy[before, pitch]
            total[lag // 2 : lag // 2 + len(before)] += 5 * np.maximum(rising, 0)
    return np.asarray(total, np.float32)


def _coming(path: NDArray[np.intp], nothing: int) -> NDArray[np.intp]:
    """The path with each rest filled by the pitch that follows it; at the end by the lowest."""
    sounding = np.flatnonzero(path < nothing)
    following = np.searchsorted(sounding, np.arange(len(path)))
    filled = np.append(path[sounding], 0)
    coming: NDArray[np.intp] = filled[following]
    return coming
