"""Beats, bars and tempo of a song from what was heard in its stems, and from its notes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.accents import stressed
from antiphon.music.rhythm.bars import count
from antiphon.music.rhythm.beats import seconds, smoothed, track
from antiphon.music.rhythm.features import HeardSong, around, features
from antiphon.music.rhythm.judge import BeatVerdict, judge
from antiphon.music.rhythm.listening import listen
from antiphon.music.rhythm.onsets import FRAME_RATE
from antiphon.music.rhythm.tempo import MAX_TEMPO_BPM, MIN_TEMPO_BPM, period_path, preference
from antiphon.score.notes import InstrumentPart
from antiphon.score.tempomap import COMMON_TIME, Meter

DEFAULT_BPM = 120.0
MIN_DURATION_S = 4.0
"""Seconds of sound in which a rhythm can be heard."""
MIN_CONFIDENCE = 0.14
"""Least share of the onset strength that repeats with a beat; in twenty seconds of noise it reaches 0.13."""
TEMPO_LEVELS = (1.0, 0.5, 2.0, 2 / 3, 1.5, 1 / 3, 3.0)
"""Tempi, as multiples of the most salient one, that may be the beat's."""
ONSET_WEIGHT, FELT_WEIGHT, BARS_WEIGHT, PREFERENCE_WEIGHT = 1.0, 0.3, 3.0, 1.0
"""Weights in the choice between them: onsets on all beats, the judge's word, clear bars, and how readily people tap
it."""
ABSENT_ONSET = 0.3
"""Added to the onset strength on a beat, so that a beat without any is not the end of a grid."""
MAX_FELT = 4.0
"""The judge is not surer than this logit."""
MIN_FIRST_ONSET_SHARE, FIRST_ONSET_TOLERANCE_S = 0.15, 0.07
"""How strong the first onset of a song is, as a share of its strong beats, and seconds by which a beat may come before
it."""
EXCERPT_S = 240.0
"""Seconds in the middle of a song by which they are compared."""

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """``beats`` in seconds, ascending, from the song's first sound to its last; their ``positions`` in the bar from 1;
    ``meter`` of most bars; ``confidence`` 0 to 1: how much of what begins repeats with the beat. Without any rhythm:
    120 beats a minute in bars of four, with confidence 0."""

    beats: tuple[float, ...]
    positions: tuple[int, ...]
    meter: Meter
    confidence: float

    @property
    def downbeats(self) -> tuple[float, ...]:
        return tuple(beat for beat, position in zip(self.beats, self.positions, strict=True) if position == 1)

    @property
    def bpm(self) -> float:
        """The usual tempo in beats a minute; in 6/8 those are dotted quarters."""
        return 60 / float(np.median(np.diff(self.beats))) if len(self.beats) > 1 else DEFAULT_BPM


def analyse(stems: Mapping[str, Path], instruments: Sequence[InstrumentPart]) -> Rhythm:
    """Beats and bars of a song.

    Args:
        stems: File by name of the stem.
        instruments: The notes that were heard in them.

    Raises:
        NotAudio: A file cannot be opened.
    """
    return of_song(HeardSong.of(listen(stems), instruments))


def of_song(song: HeardSong) -> Rhythm:
    """Beats and bars of a song by what was heard of it."""
    strength = song.listened.strength
    duration = len(strength) / FRAME_RATE
    if duration < MIN_DURATION_S or float(strength.std()) < 1e-6:
        return _unheard(duration)
    periods, confidence = period_path(strength)
    if confidence < MIN_CONFIDENCE:
        return _unheard(duration)
    frames = _beats(song, stressed(strength, song.instruments), periods)
    if len(frames) < 4:
        return _unheard(duration)
    times = smoothed(seconds(frames, strength))
    bars, heard = count(judge(features(times, song)), _bpm(times)), _sounding(times, strength)
    positions = (bars.positions[heard] + 1).tolist()
    return Rhythm(tuple(times[heard].tolist()), tuple(positions), bars.meter, confidence)


def _beats(song: HeardSong, accented: Frames, periods: Frames) -> NDArray[np.intp]:
    """The frames of the beats, on the grid that fits best."""
    strength = song.listened.strength
    length = round(EXCERPT_S * FRAME_RATE)
    begin = max(len(strength) - length, 0) // 2
    part = slice(begin, begin + length)
    best, chosen = -np.inf, (0, 1.0)
    for level, way, frames in grids(strength[part], accented[part], periods[part]):
        if len(frames) < 4:
            continue
        times = seconds(frames, strength[part]) + begin / FRAME_RATE
        verdict = judge(features(times, song))
        score = level_score(around(strength[:, None], times)[:, 0], _bpm(times), verdict)
        if score > best:
            best, chosen = score, (way, level)
    way, level = chosen
    return track((strength, accented)[way][None, :], periods / level)[0]


def grids(strength: Frames, accented: Frames, periods: Frames) -> Iterator[tuple[float, int, NDArray[np.intp]]]:
    """The beats at each of ``TEMPO_LEVELS``, on what begins (way 0) and on what is ``accented`` (way 1): level,
    way and frames."""
    usual = 60 * FRAME_RATE / float(np.median(periods))
    ways = np.stack([strength, accented])
    for level in TEMPO_LEVELS:
        if MIN_TEMPO_BPM <= usual * level <= MAX_TEMPO_BPM:
            for way, frames in enumerate(track(ways, periods / level)):
                yield level, way, frames


def level_score(onsets: Frames, bpm: float, verdict: BeatVerdict) -> float:
    """How well a grid of beats fits a song, by the strength of the ``onsets`` on its beats, its tempo, the judge's
    word and its bars."""
    return (
        ONSET_WEIGHT * float(np.log(onsets + ABSENT_ONSET).mean())
        + FELT_WEIGHT * float(np.clip(verdict.felt, -MAX_FELT, MAX_FELT))
        + BARS_WEIGHT * count(verdict, bpm).score
        + PREFERENCE_WEIGHT * preference(bpm)
    )


def _bpm(times: Frames) -> float:
    return 60 / float(np.median(np.diff(times)))


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
    positions = tuple(beat % COMMON_TIME.beats + 1 for beat in beats)
    return Rhythm(tuple(beat * 60 / DEFAULT_BPM for beat in beats), positions, COMMON_TIME, 0.0)
