"""Constant-Q spectrogram, the input of the Basic Pitch network, as part of its graph.

Nine octaves of 36 bins, from the highest down: each is measured by the same kernels, then the sound is low-passed and
every second sample left out (Schörkhuber, Klapuri, "Constant-Q transform toolbox for music processing", SMC 2010; as
nnAudio has it in ``CQT2010v2``: Cheuk, Anderson, Agres, Herremans, IEEE Access 2020).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.onnxgraph import GraphBuilder
from antiphon.music.transcription.levels import HOP
from antiphon.music.transcription.network import WINDOW, WINDOW_FRAMES

BINS, OCTAVES, PER_OCTAVE = 309, 9, 36
TAPS = 256
"""Samples of every kernel."""
AT_ONCE = 16
"""Samples that the low-pass filter gives in one step."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ConstantQ:
    """Kernels of an octave, ``real`` and ``imaginary`` (36, 256); ``lowpass`` (256,); the ``scale`` of bins (309,)."""

    real: Array
    imaginary: Array
    lowpass: Array
    scale: Array


def spectrogram(builder: GraphBuilder, audio: str, weights: ConstantQ) -> str:
    """The power (windows, 172, 309) of ``audio`` (windows, 43844), lowest bin first."""
    sound, length = builder.reshape(audio, -1, 1, 1, WINDOW), WINDOW
    filters = builder.constant(_several(weights.lowpass))
    octaves: list[str] = []
    for octave in range(OCTAVES):
        padded = builder.pad(sound, (0, 0, 0, TAPS // 2), (0, 0, 0, TAPS // 2), "reflect")
        kernels = builder.constant(_scaled(weights, octave))
        measured = builder.node("Conv", [padded, kernels], strides=[1, HOP >> octave])
        octaves.insert(0, builder.reshape(measured, -1, 2, PER_OCTAVE, WINDOW_FRAMES))
        if octave < OCTAVES - 1:
            sound, length = _halved(builder, sound, length, filters)
    parts = builder.slice(builder.node("Concat", octaves, axis=2), 2, OCTAVES * PER_OCTAVE - BINS, OCTAVES * PER_OCTAVE)
    squares = builder.node("Mul", [parts, parts])
    power = builder.node("ReduceSum", [squares, builder.integers(1)], keepdims=0)
    return builder.node("Transpose", [power], perm=[0, 2, 1])


def _scaled(weights: ConstantQ, octave: int) -> Array:
    """Both kernels of each bin of the octave, (72, 1, 1, 256); those below the lowest bin are zero."""
    bins = np.arange(PER_OCTAVE) + BINS - PER_OCTAVE * (octave + 1)
    scale = np.where(bins >= 0, weights.scale[np.maximum(bins, 0)], 0.0)[:, None]
    both = np.concatenate([weights.real * scale, weights.imaginary * scale])
    return both[:, None, None].astype(np.float32)


def _several(lowpass: Array) -> Array:
    """The filter for ``AT_ONCE`` samples, each two samples further, (16, 1, 1, 286)."""
    filters = np.zeros((AT_ONCE, 1, 1, TAPS + 2 * (AT_ONCE - 1)), np.float32)
    for number, row in enumerate(filters[:, 0, 0]):
        row[2 * number : 2 * number + TAPS] = lowpass
    return filters


def _halved(builder: GraphBuilder, sound: str, length: int, filters: str) -> tuple[str, int]:
    """Every second sample of the low-passed ``sound``, and how many there are."""
    edge = TAPS // 2 - 1
    half = (length + 2 * edge - TAPS) // 2 + 1
    steps = -(-half // AT_ONCE)
    needed = 2 * AT_ONCE * steps + TAPS - 2
    padded = builder.pad(sound, (0, 0, 0, edge), (0, 0, 0, needed - length - edge))
    filtered = builder.node("Conv", [padded, filters], strides=[1, 2 * AT_ONCE])
    in_order = builder.node("Transpose", [filtered], perm=[0, 2, 3, 1])
    return builder.slice(builder.reshape(in_order, -1, 1, 1, AT_ONCE * steps), 3, 0, half), half
