"""Beats, bars and tempo of a song from its stems and notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.beats import seconds, smoothed, track
from antiphon.music.rhythm.meter import count, stressed
from antiphon.music.rhythm.onsets import FRAME_RATE, onset_strength
from antiphon.music.rhythm.tempo import MAX_TEMPO_BPM, MIN_TEMPO_BPM, period_path, preference
from antiphon.score.notes import InstrumentPart

DEFAULT_BPM = 120.0
MIN_DURATION_S = 4.0
"""Seconds of sound in which a rhythm can be heard."""
MIN_CONFIDENCE = 0.11
"""Least share of the onset strength that repeats with a beat."""
TEMPO_LEVEL_SCORES = {1.0: 0.0, 0.5: -0.2, 2.0: -0.1, 2 / 3: -0.2, 1.5: -0.2, 1 / 3: -0.25, 3.0: -0.25}
"""Tempi, as multiples of the most salient one, that may be the beat's, and what speaks against each."""
ONSET_WEIGHT, ACCENT_WEIGHT, PREFERENCE_WEIGHT = 0.45, 1.0, 0.3
"""Weights in the choice between them: onsets on the beats, accents that make bars, and how readily people tap it."""
MIN_FIRST_ONSET_SHARE, FIRST_ONSET_TOLERANCE_S = 0.15, 0.07
"""How strong the first onset of a song is, as a share of its strong beats, and seconds by which a beat may come before
it."""
EXCERPT_S = 240.0
"""Seconds in the middle of a song by which they are compared."""

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """``beats`` in seconds, ascending, from the song's first sound to its last; their ``positions`` in the bar from 1;
    ``meter`` beats in a bar; ``confidence`` 0 to 1: how much of what begins repeats with the beat. Without any rhythm:
    120 beats a minute in bars of four, with confidence 0."""

    beats: tuple[float, ...]
    positions: tuple[int, ...]
    meter: int
    confidence: float

    @property
    def downbeats(self) -> tuple[float, ...]:
        return tuple(beat for beat, position in zip(self.beats, self.positions, strict=True) if position == 1)

    @property
    def bpm(self) -> float:
        """The usual tempo in beats a minute."""
        return 60 / float(np.median(np.diff(self.beats))) if len(self.beats) > 1 else DEFAULT_BPM


def analyse(stems: Mapping[str, Path], instruments: Sequence[InstrumentPart]) -> Rhythm:
    """Beats and bars of a song.

    Args:
        stems: File by name of the stem.
        instruments: The notes that were heard in them.

    Raises:
        NotAudio: A file cannot be opened.
    """
    return of_onsets(onset_strength(stems), instruments)


def of_onsets(strength: Frames, instruments: Sequence[InstrumentPart]) -> Rhythm:
    """Beats and bars of a song by its onsets.

    Args:
        strength: Onset strength (frames,), as ``onset_strength`` has it.
        instruments: The notes of the song.
    """
    duration = len(strength) / FRAME_RATE
    if duration < MIN_DURATION_S or float(strength.std()) < 1e-6:
        return _unheard(duration)
    periods, confidence = period_path(strength)
    if confidence < MIN_CONFIDENCE:
        return _unheard(duration)
    frames = _beats(strength, stressed(strength, instruments), periods, instruments)
    if len(frames) < 4:
        return _unheard(duration)
    times = smoothed(seconds(frames, strength))
    bars, heard = count(times, instruments), _sounding(times, strength)
    positions = (bars.positions[heard] + 1).tolist()
    return Rhythm(tuple(times[heard].tolist()), tuple(positions), bars.meter, confidence)


def _beats(
    strength: Frames, accented: Frames, periods: Frames, instruments: Sequence[InstrumentPart]
) -> NDArray[np.intp]:
    """The frames of the beats, at the one of ``TEMPO_LEVEL_SCORES`` that fits best, on what begins or on what is
    ``accented``."""
    length = round(EXCERPT_S * FRAME_RATE)
    begin = max(len(strength) - length, 0) // 2
    part = slice(begin, begin + length)
    usual = 60 * FRAME_RATE / float(np.median(periods[part]))
    ways = np.stack([strength, accented])
    best, chosen = -np.inf, (0, 1.0)
    for level, against in TEMPO_LEVEL_SCORES.items():
        if not MIN_TEMPO_BPM <= usual * level <= MAX_TEMPO_BPM:
            continue
        for way, frames in enumerate(track(ways[:, part], periods[part] / level)):
            fit = _fit(frames, strength[part], begin, instruments)
            score = fit + PREFERENCE_WEIGHT * preference(usual * level) + against
            if score > best:
                best, chosen = score, (way, level)
    way, level = chosen
    return track(ways[way : way + 1], periods / level)[0]


def _fit(frames: NDArray[np.intp], strength: Frames, begin: int, instruments: Sequence[InstrumentPart]) -> float:
    """How strong the onsets on these beats are, and how well they are counted in bars."""
    if len(frames) < 4:
        return -np.inf
    bars = count(seconds(frames, strength) + begin / FRAME_RATE, instruments)
    return ONSET_WEIGHT * float(np.log(_peaks(strength)[frames].mean() + 1e-9)) + ACCENT_WEIGHT * bars.score


def _peaks(strength: Frames) -> Frames:
    """The largest of each frame and its neighbours."""
    peaks: Frames = np.maximum(strength, np.maximum(np.append(strength[1:], 0), np.append(0, strength[:-1])))
    return peaks


def _sounding(times: Frames, strength: Frames) -> slice:
    """The beats from the first onset of the song to its last, leaving out what is much fainter than its beats."""
    peaks = _peaks(strength)[np.minimum((times * FRAME_RATE).round().astype(int), len(strength) - 1)]
    begun = np.flatnonzero(strength >= MIN_FIRST_ONSET_SHARE * np.percentile(peaks, 75)) / FRAME_RATE
    first, last = np.searchsorted(times, (begun[0] - FIRST_ONSET_TOLERANCE_S, begun[-1] + FIRST_ONSET_TOLERANCE_S))
    return slice(int(first), max(int(last), int(first) + 2))


def _unheard(duration: float) -> Rhythm:
    beats = range(int(duration * DEFAULT_BPM / 60) + 1)
    return Rhythm(tuple(beat * 60 / DEFAULT_BPM for beat in beats), tuple(beat % 4 + 1 for beat in beats), 4, 0.0)
