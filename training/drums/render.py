"""Plays hits on a kit."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft

from antiphon.music.drums.features import WINDOW, filters
from training.drums.kits import HATS, Kit
from training.drums.patterns import Hit, Random
from training.drums.samples import RATE, Mono

HEARD = 0.08
MIN_POWER_SHARE = 1e-7
"""Power under that of the loudest stroke at which one is lost in any noise."""
_FILTERS = filters()
_FALL = np.cos(np.linspace(0, np.pi / 2, WINDOW)).astype(np.float32) ** 2
CHOKE = 0.02
"""Seconds in which a closing hi-hat silences what rang before it."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A hit as it was played: ``power`` (BANDS,) of its first ``WINDOW`` samples, which begin at sample ``start``."""

    hit: Hit
    start: int
    power: Mono


def play(rng: Random, kit: Kit, hits: Sequence[Hit], seconds: float) -> tuple[Mono, list[Stroke]]:
    """The sound of ``hits``, mono at 44.1 kHz, and its strokes. Velocities become levels, with a random number of dB
    from the softest to the hardest."""
    sound = np.zeros(round(seconds * RATE), np.float32)
    strokes = []
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
        piece = stroke[: len(sound) - start] * np.float32(voice.gain * 10 ** (level / 20))
        sound[start : start + len(piece)] += piece
        strokes.append(Stroke(hit, start, _power(piece[:WINDOW])))
    return sound, strokes


def audible(strokes: Sequence[Stroke], sound: Mono) -> list[Hit]:
    """The hits that somebody could hear in ``sound``, which holds them and whatever else plays: those that reach
    ``HEARD`` of its power in some band that matters to them. A label for what cannot be heard teaches guessing."""
    loudest = max((float(stroke.power.max()) for stroke in strokes), default=0.0)
    heard = []
    for stroke in strokes:
        top = float(stroke.power.max())
        bands = stroke.power > 0.02 * top
        around = _power(sound[stroke.start : stroke.start + WINDOW])
        share = float((stroke.power[bands] / (around[bands] + 1e-12)).max(initial=0.0))
        if top > MIN_POWER_SHARE * loudest and share > HEARD:
            heard.append(stroke.hit)
    return heard


def _power(samples: Mono) -> Mono:
    """(BANDS,)"""
    spectrum = scipy.fft.rfft(samples * _FALL[: len(samples)], WINDOW)
    return np.asarray((np.square(spectrum.real) + np.square(spectrum.imag)) @ _FILTERS, np.float32)


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
