"""Plays hits on a kit."""

import bisect
from collections.abc import Sequence

import numpy as np

from training.drums.kits import HATS, Kit
from training.drums.patterns import Hit, Random
from training.drums.samples import RATE, Mono

CHOKE = 0.02
"""Seconds in which a closing hi-hat silences what rang before it."""


def play(rng: Random, kit: Kit, hits: Sequence[Hit], seconds: float) -> Mono:
    """The sound of ``hits``, mono at 44.1 kHz, and their velocities as levels: ``depth`` dB from softest to hardest."""
    sound = np.zeros(round(seconds * RATE), np.float32)
    depth = float(rng.uniform(14, 32))
    hats = sorted(hit.time for hit in hits if hit.kind in HATS)
    for hit in hits:
        voices = kit[hit.kind]
        voice = voices[int(rng.random() ** 2 * len(voices))]
        stroke = voice.stroke(rng, hit.velocity)
        if hit.kind in HATS:
            stroke = _choked(stroke, hit.time, hats)
        level = -depth * (1 - hit.velocity) + float(rng.normal(0, 0.7))
        start = max(round(hit.time * RATE), 0)
        piece = stroke[: len(sound) - start]
        sound[start : start + len(piece)] += piece * np.float32(voice.gain * 10 ** (level / 20))
    return sound


def _choked(stroke: Mono, time: float, hats: Sequence[float]) -> Mono:
    """``stroke`` cut where the next of ``hats`` sounds."""
    order = bisect.bisect_right(hats, time + 0.03)
    if order == len(hats):
        return stroke
    end = round((hats[order] - time) * RATE)
    if end >= len(stroke):
        return stroke
    fade = np.clip(1 - (np.arange(len(stroke)) - end) / (CHOKE * RATE), 0, 1)
    return (stroke * fade).astype(np.float32)
