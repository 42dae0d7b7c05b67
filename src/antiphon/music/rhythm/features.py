"""What the judge of bars is told of each beat."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.accents import ACCENTS, accents
from antiphon.music.rhythm.listening import PITCH_FRAME_RATE, Listened
from antiphon.music.rhythm.onsets import FRAME_RATE, RISE_LEAD_S
from antiphon.music.signal.pitchbands import Tones, chroma, tones
from antiphon.score.notes import InstrumentPart

ONSET_REACH_FRAMES = 3
"""Frames (35 ms) around a moment in which an onset is on it."""
BETWEEN = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)
"""The places between two beats, as shares of their distance, at which onsets are listened for."""
LAGS = (2, 3, 4, 5, 6, 7, 8)
"""Distances in beats at which a song is compared with itself."""
MIN_DEVIATION = 0.05
"""Least standard deviation by which a feature is scaled: what never changes says nothing."""
LOCAL = 6 + len(BETWEEN) + ACCENTS + 5
FEATURES = LOCAL + 2 * len(LAGS) + len(BETWEEN) + 1

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeardSong:
    """What is the same wherever the beats are: what was ``listened`` to, its ``tones`` and the notes."""

    listened: Listened
    tones: Tones
    chroma: Frames
    instruments: Sequence[InstrumentPart]

    @classmethod
    def of(cls, listened: Listened, instruments: Sequence[InstrumentPart]) -> "HeardSong":
        found = tones(listened.pitches)
        return cls(listened, found, chroma(found), instruments)


def features(beats: Frames, song: HeardSong) -> NDArray[np.float32]:
    """(beats, FEATURES) of ``beats`` in seconds, two at least: first what is played on and after each beat, relative to
    the song's other beats, then what is the same for all: how the song resembles itself, what lies between beats, and
    the tempo."""
    period = float(np.median(np.diff(beats)))
    strength = song.listened.strength
    on = np.log1p(around(song.listened.accents, beats))
    lengths = np.append(np.diff(beats), period)
    between = np.log1p(
        np.stack([around(strength[:, None], beats + share * lengths)[:, 0] for share in BETWEEN], axis=1)
    )
    harmony = by_beat(beats, song.chroma)
    changes = np.stack(
        [
            _change(harmony[:, :24], 1),
            _change(harmony[:, :24], 2),
            _change(harmony[:, 24:], 1),
            _change(harmony[:, 24:], 2),
            _change(harmony, 4),
        ],
        axis=1,
    )
    local = np.concatenate([on, between, accents(beats, song.instruments), changes], axis=1)
    local = (local - local.mean(axis=0)) / np.maximum(local.std(axis=0), MIN_DEVIATION)
    shared = [*_self_similarity(local), *_self_similarity(harmony), *_shares(strength, beats, between)]
    shared.append(float(np.log2(60 / period / 120)))
    return np.concatenate([local, np.tile(shared, (len(beats), 1))], axis=1).astype(np.float32)


def by_beat(beats: Frames, values: NDArray[np.floating], rate: float = PITCH_FRAME_RATE) -> Frames:
    """The mean of ``values`` (frames, n), ``rate`` a second, from each of the ``beats`` to the next; (beats, n)."""
    if not len(values):
        return np.zeros((len(beats), values.shape[1]))
    borders = np.append(beats, 2 * beats[-1] - beats[-2]) * rate
    total = np.pad(np.cumsum(values, axis=0, dtype=np.float64), ((1, 0), (0, 0)))
    first = np.clip(np.ceil(borders[:-1]).astype(int), 0, len(values) - 1)
    last = np.clip(np.ceil(borders[1:]).astype(int), first + 1, len(values))
    mean: Frames = (total[last] - total[first]) / (last - first)[:, None]
    return mean


def around(values: NDArray[np.floating], times: Frames) -> Frames:
    """The largest of ``values`` (frames, n) near each time; (times, n)."""
    frames = np.round((times - RISE_LEAD_S) * FRAME_RATE).astype(int)
    reach = np.arange(-ONSET_REACH_FRAMES, ONSET_REACH_FRAMES + 1)
    places = np.clip(frames[:, None] + reach, 0, len(values) - 1)
    found: Frames = values[places].max(axis=1).astype(np.float64)
    return found


def _change(harmony: Frames, span: int) -> Frames:
    """How unlike the ``span`` beats from here the ``span`` before are, 0 to 1; (beats,)."""
    total = np.pad(np.cumsum(harmony, axis=0), ((1, 0), (0, 0)))
    beat = np.arange(len(harmony))
    after = total[np.minimum(beat + span, len(harmony))] - total[beat]
    before = total[beat] - total[np.maximum(beat - span, 0)]
    lengths = np.linalg.norm(after, axis=1) * np.linalg.norm(before, axis=1)
    alike = (after * before).sum(axis=1) / np.maximum(lengths, 1e-9)
    change: Frames = np.where(lengths > 1e-9, 1 - alike, 0.5)
    return np.sqrt(np.clip(change, 0, 1))


def _self_similarity(values: Frames) -> list[float]:
    """The mean correlation of ``values`` (beats, n) with themselves at each of ``LAGS``."""
    centred = values - values.mean(axis=0)
    power = float(np.square(centred).sum()) / len(values) + 1e-9
    found = []
    for lag in LAGS:
        pairs = max(len(values) - lag, 1)
        found.append(float((centred[lag:] * centred[:-lag]).sum()) / pairs / power if len(values) > lag else 0.0)
    return found


def _shares(strength: Frames, beats: Frames, between: Frames) -> list[float]:
    """How strong onsets are at each place between beats, against those on beats."""
    on = float(np.log1p(around(strength[:, None], beats)).mean()) + 1e-3
    return [float(share) / on for share in between.mean(axis=0)]
