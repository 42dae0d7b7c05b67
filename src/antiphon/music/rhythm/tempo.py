"""How fast a song goes, second by second.

The onset strength around each second is compared with itself at every lag (autocorrelation). A beat's period is one
after which it repeats, and after two and four of which it repeats, too; periods are weighed by how readily people tap
them (Ellis, "Beat Tracking by Dynamic Programming", JNMR 2007: log-normal around 120 beats a minute), and the best path
over the song holds a tempo unless the music leaves it.
"""

from math import log2

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.onsets import FRAME_RATE

MIN_TEMPO_BPM, MAX_TEMPO_BPM = 40.0, 220.0
FAVOURITE = 120.0
OCTAVES = 0.8
"""Standard deviation, in octaves, of the tempo that people tap."""
PERIODS = FRAME_RATE * 60 / np.geomspace(MAX_TEMPO_BPM, MIN_TEMPO_BPM, 256)
"""The periods of a beat in frames that are told apart, 0.7 % from one to the next."""

WINDOW = 10.0  # seconds
EVERY = 1.0  # seconds
MULTIPLES = ((1, 1.0), (2, 0.7), (4, 0.5))
CERTAINTY = 1.2
TASTE = 0.3
RIGID = 400.0
"""Cost of a change of tempo from one second to the next, times its squared logarithm."""
LEAP = 6.0
"""The most that a change of tempo costs."""

Frames = NDArray[np.float64]


def preference(bpm: float) -> float:
    """Logarithm of how readily people tap ``bpm``, 0 at most."""
    return -0.5 * (log2(bpm / FAVOURITE) / OCTAVES) ** 2


def period_path(strength: Frames) -> tuple[Frames, float]:
    """The period of the beat, in frames, at each frame of the onset ``strength``; and how much of the strength repeats
    after one period, 0 to 1."""
    centres, echo = _echoes(strength)
    salience = np.zeros((len(centres), len(PERIODS)))
    for times, weight in MULTIPLES:
        salience += weight * _at(echo, times * PERIODS)
    evidence = CERTAINTY * salience + TASTE * np.array([preference(60 * FRAME_RATE / period) for period in PERIODS])
    path = _best_path(evidence)
    repeated = _at(echo, PERIODS)[np.arange(len(path)), path]
    periods = np.interp(np.arange(len(strength)), centres, PERIODS[path])
    return periods, float(np.clip(repeated.mean(), 0, 1))


def _echoes(strength: Frames) -> tuple[NDArray[np.intp], Frames]:
    """Frames ``EVERY`` so many seconds, and the autocorrelation around each, 1 at lag 0; (windows, lags)."""
    length, hop = round(WINDOW * FRAME_RATE), round(EVERY * FRAME_RATE)
    lags = int(4 * PERIODS.max()) + 2
    shape = np.hanning(length)
    fair = _autocorrelation(shape, lags)
    fair = np.maximum(fair, 0.05 * fair[0])
    # Blunter than it is: a period that is no whole number of frames must not count for less.
    padded = np.pad(np.convolve(strength, [0.25, 0.5, 0.25], mode="same"), length // 2)
    centres = np.arange(0, len(strength), hop)
    rows = np.zeros((len(centres), lags))
    for row, centre in zip(rows, centres, strict=True):
        piece = padded[centre : centre + length]
        raw = _autocorrelation((piece - piece.mean()) * shape, lags) / fair
        row[:] = raw / (raw[0] + 1e-9)
    return centres, rows


def _autocorrelation(values: Frames, lags: int) -> Frames:
    spectrum = np.fft.rfft(values, 2 * len(values))
    raw: Frames = np.fft.irfft(np.square(np.abs(spectrum)))[: min(lags, len(values))]
    return np.pad(raw, (0, lags - len(raw)))


def _at(rows: Frames, places: Frames) -> Frames:
    """Each row read between its columns; (rows, places)."""
    left = np.minimum(places.astype(int), rows.shape[1] - 2)
    share = np.minimum(places - left, 1.0)
    read: Frames = rows[:, left] * (1 - share) + rows[:, left + 1] * share
    return read


def _best_path(evidence: Frames) -> NDArray[np.intp]:
    """Viterbi over (seconds, periods)."""
    steps = np.log(PERIODS)
    change = -np.minimum(RIGID * np.square(steps[:, None] - steps[None, :]), LEAP)
    score = evidence[0]
    came = np.zeros(evidence.shape, np.intp)
    for second in range(1, len(evidence)):
        ways = score[None, :] + change
        came[second] = ways.argmax(axis=1)
        score = ways.max(axis=1) + evidence[second]
    path = np.zeros(len(evidence), np.intp)
    path[-1] = score.argmax()
    for second in range(len(evidence) - 1, 0, -1):
        path[second - 1] = came[second, path[second]]
    return path
