"""Puts beats on onsets, a period apart as nearly as the music allows (dynamic programming, Ellis, JNMR 2007)."""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.onsets import EARLY, FRAME_RATE

STRICT = 120.0
"""Cost of a beat that comes early or late, times the squared logarithm of its distance in periods."""
MIN_BEAT_DISTANCE_PERIODS, MAX_BEAT_DISTANCE_PERIODS = 0.6, 1.5
"""The distances of two beats that are tried, in periods."""
OUT_OF_STEP = 0.1
"""How far from the period, as a logarithm, the distance of the first two beats may be, or of the last two."""
MAX_LEAD_FRAMES = 3
"""Frames before the start at which a beat may be."""
AROUND = 6
"""Beats before and after one by which it is evened out."""
UNEVEN = 0.03
"""Seconds by which a player may miss the beat."""

Frames = NDArray[np.float64]


def track(strengths: Frames, periods: Frames) -> list[NDArray[np.intp]]:
    """For each of several ways to hear a song, ``strengths`` (ways, frames), the frames of the beats: ascending, where
    it is strong and the beats keep the ``periods`` (frames,), in frames."""
    smooth = np.array([np.convolve(strength, [0.25, 0.5, 0.25], mode="same") for strength in strengths])
    smooth /= smooth.std(axis=1, keepdims=True) + 1e-9
    nearest = np.maximum((periods * MIN_BEAT_DISTANCE_PERIODS).astype(int), 1)
    furthest = (periods * MAX_BEAT_DISTANCE_PERIODS).astype(int) + 1
    longest = int(furthest.max(initial=1))
    score = np.pad(smooth, ((0, 0), (longest, 0)), constant_values=-np.inf)  # before the song there is no beat
    before = np.lib.stride_tricks.sliding_window_view(score, longest, axis=1)  # of each frame
    came = np.full(smooth.shape, -1)
    logarithms = np.log(np.arange(1, longest + 2))
    steady = np.log(periods)
    # The frames up to the shortest distance of beats do not depend on one another.
    together = int(nearest.min(initial=len(periods))) + 1
    for start in range(0, len(periods), together):
        stop = min(start + together, len(periods))
        near, far = nearest[start:stop, None], furthest[start:stop, None]
        most, least = int(far.max()), int(near.min())
        distances = np.arange(most, least, -1)
        late = logarithms[distances - 1] - steady[start:stop, None]
        cost = np.where((distances <= far) & (distances > near), STRICT * np.square(late), np.inf)
        ways = before[:, start:stop, longest - most : longest - least] - cost
        gain = ways.max(axis=2)
        came[:, start:stop] = np.where(gain > 0, np.arange(start, stop) - distances[ways.argmax(axis=2)], -1)
        score[:, longest + start : longest + stop] += np.maximum(gain, 0)
    last = round(float(periods[-1]))
    return [_with_ends(_followed(one[longest:], way, last), periods) for one, way in zip(score, came, strict=True)]


def _followed(score: Frames, came: NDArray[np.intp], period: int) -> NDArray[np.intp]:
    """Back from the best beat of the last period."""
    last = max(len(score) - period, 0)
    frames = [last + int(score[last:].argmax())]
    while came[frames[-1]] >= 0:
        frames.append(int(came[frames[-1]]))
    return np.array(frames[::-1])


def _with_ends(frames: NDArray[np.intp], periods: Frames) -> NDArray[np.intp]:
    """The beats go on as fast as those beside them to both ends; what the path took there for want of a beat, goes."""
    kept = frames.tolist()
    while len(kept) > 1 and abs(np.log((kept[1] - kept[0]) / periods[kept[0]])) > OUT_OF_STEP:
        del kept[0]
    while len(kept) > 1 and abs(np.log((kept[-1] - kept[-2]) / periods[kept[-1]])) > OUT_OF_STEP:
        del kept[-1]
    opening = float(np.median(np.diff(kept[:9]))) if len(kept) > 1 else float(periods[0])
    closing = float(np.median(np.diff(kept[-9:]))) if len(kept) > 1 else float(periods[-1])
    # A beat at the very start may come out a little before it.
    lead = np.arange(kept[0], -MAX_LEAD_FRAMES, -opening)[:0:-1]
    tail = np.arange(kept[-1], len(periods) - 1, closing)[1:]
    return np.concatenate([lead, kept, tail]).round().clip(0).astype(np.intp)


def seconds(frames: NDArray[np.intp], strength: Frames) -> Frames:
    """When the beats at ``frames`` are, read between frames from the shape of the onset's peak."""
    inner = np.clip(frames, 1, len(strength) - 2)
    before, here, after = strength[inner - 1], strength[inner], strength[inner + 1]
    bend = before - 2 * here + after
    peak = (bend < 0) & (here >= before) & (here >= after)
    shift = np.where(peak, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    times: Frames = (frames + shift) / FRAME_RATE + EARLY
    return times


def smoothed(times: Frames) -> Frames:
    """``times`` without the unevenness of the players: each beat where a line through those around it puts it, except
    where the tempo changes so much that it is far from there."""
    if len(times) < 2 * AROUND + 1:
        return times
    even = times.copy()
    for beat in range(len(times)):
        first = max(beat - AROUND, 0)
        around = times[first : beat + AROUND + 1]
        place = np.arange(first, first + len(around)) - beat
        weights = (1 - np.abs(place / (AROUND + 1)) ** 3) ** 3
        even[beat] = np.polynomial.polynomial.polyfit(place, around, 1, w=np.sqrt(weights))[0]
    return np.where(np.abs(even - times) < UNEVEN, even, times)
