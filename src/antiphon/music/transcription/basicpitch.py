"""Basic Pitch network as an ONNX graph that takes a third of the time of the one in the package.

It computes the same function from the same weights, to within rounding, by other operations:

- The harmonic stack repeats one constant-Q spectrogram eight times, shifted, and the first convolution reads it in
  places that overlap. Read from the spectrogram itself it is a banded matrix: a matrix product, of 227 million
  multiplications a window, not 340.
- A convolution to a single channel wastes the other lanes of its vectors. Here it gives a channel for each step in
  time, and those are added, shifted.
- The low-pass filters before each octave give sixteen samples at a time.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from antiphon.music.onnxgraph import GraphBuilder
from antiphon.music.transcription.constantq import BINS, ConstantQ, spectrogram
from antiphon.music.transcription.levels import PITCHES
from antiphon.music.transcription.network import AUDIO, CONTOUR_BINS, CONTOURS, NOTES, ONSETS, WINDOW
from antiphon.music.transcription.network import WINDOW_FRAMES as FRAMES

PLACES = CONTOUR_BINS * PITCHES
"""Places in pitch, in thirds of a semitone."""
SHIFTS = (-36, 0, 36, 57, 72, 84, 93, 101)
"""Bins from a place to its half, its first to seventh harmonic: the channels of the stack."""
BLOCK = 33
"""Places that one matrix product gives; with fewer the products are small, with more they hold more zeros."""
STACK = (8, 8, 3, 39)
"""Shape of the first convolution: channels out and in, frames, places."""
REACH = STACK[3] // 2
BELOW, ABOVE = REACH - SHIFTS[0], REACH + SHIFTS[-1]
"""Bins below and above a place that the first convolution reads."""
SPAN = BELOW + BLOCK + ABOVE

Array = NDArray[np.float32]


@dataclass(frozen=True)
class _Layers:
    """What is read from the package's graph: each convolution's weights and bias by the shape of its weights."""

    constant_q: ConstantQ
    gain: float
    offset: float
    convolutions: dict[tuple[int, ...], tuple[Array, Array]]


def build_model(package: Path) -> onnx.ModelProto:
    """Model from ``audio`` (windows, 43844) at 22,050 Hz to ``notes`` and ``onsets`` (windows, 172, 88) and
    ``contours`` (windows, 172, 264), all float32.

    Args:
        package: The ``nmp.onnx`` of the ``basic-pitch`` package, whose weights it takes.

    Raises:
        KeyError: A layer is missing.
    """
    layers = _read(package)
    builder = GraphBuilder()
    heard = _normalised(builder, layers, spectrogram(builder, AUDIO, layers.constant_q))
    contours = _contours(builder, layers, heard)
    notes = _notes(builder, layers, contours)
    _onsets(builder, layers, heard, notes)
    widths = {NOTES: PITCHES, ONSETS: PITCHES, CONTOURS: PLACES}
    outputs = {name: ("windows", FRAMES, width) for name, width in widths.items()}
    return builder.model("basic-pitch", {AUDIO: ("windows", WINDOW)}, outputs)


def _read(package: Path) -> _Layers:
    graph = onnx.load(package).graph
    arrays: dict[str, NDArray[Any]] = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    kernels: dict[tuple[int, ...], list[tuple[Array, Array]]] = {}
    normalisation = {}
    for node in graph.node:
        if node.op_type == "Conv":
            weights, bias = (arrays[name] for name in node.input[1:])
            kernels.setdefault(weights.shape, []).append((weights, bias))
        if node.op_type in {"Mul", "Add"} and "batch_normalization" in node.output[0]:
            normalisation[node.op_type] = float(arrays[node.input[1]].item())
    parts = [weights[:, 0, 0] for weights, _ in kernels[36, 1, 1, 256]]
    constant_q = ConstantQ(
        real=parts[0],
        imaginary=next(part for part in parts if not np.array_equal(part, parts[0])),
        lowpass=kernels[1, 1, 1, 256][0][0].ravel(),
        scale=next(array.ravel() for array in arrays.values() if array.shape == (BINS, 1, 1)),
    )
    single = {shape: found[0] for shape, found in kernels.items() if len(found) == 1}
    return _Layers(constant_q, normalisation["Mul"], normalisation["Add"], single)


def _normalised(builder: GraphBuilder, layers: _Layers, power: str) -> str:
    """The logarithm of ``power`` (windows, 172, 309), in each window from ``offset`` to ``offset + gain``; where all is
    alike, ``offset``."""
    level = builder.node("Log", [builder.node("Add", [power, builder.floats(1e-10)])])
    lowest = builder.node("ReduceMin", [level], axes=[1, 2], keepdims=1)
    highest = builder.node("ReduceMax", [level], axes=[1, 2], keepdims=1)
    width = builder.node("Sub", [highest, lowest])
    nothing = builder.floats(0.0)
    steep = builder.node("Div", [builder.floats(layers.gain), width])
    steep = builder.node("Where", [builder.node("Equal", [width, nothing]), nothing, steep])
    scaled = builder.node("Mul", [builder.node("Sub", [level, lowest]), steep])
    return builder.node("Add", [scaled, builder.floats(layers.offset)])


def _contours(builder: GraphBuilder, layers: _Layers, heard: str) -> str:
    """(windows, 172, 264), 0–1."""
    weights, bias = layers.convolutions[STACK]
    padded = builder.pad(heard, (0, 1, BELOW), (0, 1, PLACES + ABOVE - BINS))
    frames = [builder.slice(padded, 1, step, step + FRAMES) for step in range(STACK[2])]
    shared: dict[bytes, str] = {}
    blocks = []
    for first in range(0, PLACES, BLOCK):
        matrix = _banded(weights, first)
        if matrix.tobytes() not in shared:  # all but those at the ends are the same
            shared[matrix.tobytes()] = builder.constant(matrix)
        seen = builder.node("Concat", [builder.slice(one, 2, first, first + SPAN) for one in frames], axis=2)
        blocks.append(builder.reshape(builder.node("MatMul", [seen, shared[matrix.tobytes()]]), -1, STACK[0], 1, BLOCK))
    joined = builder.node("Concat", blocks, axis=3)  # (windows * 172, 8, 1, 264)
    joined = builder.node("Relu", [builder.node("Add", [joined, builder.floats(bias.reshape(1, -1, 1, 1))])])
    weights, bias = layers.convolutions[1, 8, 5, 5]
    steps = builder.node("Conv", [joined, builder.constant(_by_step(weights))], pads=[0, 2, 0, 2])
    steps = builder.pad(builder.reshape(steps, -1, FRAMES, 5, PLACES), (0, 2, 0, 0), (0, 2, 0, 0))
    moved = [builder.slice(builder.slice(steps, 1, step, step + FRAMES), 2, step, step + 1) for step in range(5)]
    total = builder.node("Add", [builder.node("Sum", moved), builder.floats(bias)])
    return builder.reshape(builder.node("Sigmoid", [total]), -1, FRAMES, PLACES, output=CONTOURS)


def _banded(weights: Array, first: int) -> Array:
    """The first convolution as a matrix (3 * SPAN, 8 * BLOCK), from the spectrogram to the places from ``first`` on.
    The stack holds zeros beside its places, even where the spectrogram goes on."""
    channels, harmonics, steps, taps = weights.shape
    matrix = np.zeros((steps, SPAN, channels, BLOCK), np.float32)
    for harmonic in range(harmonics):
        for tap in range(taps):
            for place in range(BLOCK):
                if 0 <= first + place + tap - REACH < PLACES:
                    bin_ = BELOW + place + tap - REACH + SHIFTS[harmonic]
                    matrix[:, bin_, :, place] += weights[:, harmonic, :, tap].T
    return matrix.reshape(steps * SPAN, channels * BLOCK)


def _notes(builder: GraphBuilder, layers: _Layers, contours: str) -> str:
    """(windows, 1, 172, 88), 0–1."""
    picture = builder.reshape(contours, -1, 1, FRAMES, PLACES)
    inputs = [picture, *map(builder.constant, layers.convolutions[32, 1, 7, 7])]
    hidden = builder.node("Conv", inputs, strides=[1, 3], pads=[3, 2, 3, 2])
    weights, bias = layers.convolutions[1, 32, 7, 3]
    moved = _moved(builder, builder.node("Relu", [hidden]), weights)
    total = builder.node("Add", [builder.node("Sum", moved), builder.floats(bias)])
    notes = builder.node("Sigmoid", [total])
    builder.reshape(notes, -1, FRAMES, PITCHES, output=NOTES)
    return notes


def _onsets(builder: GraphBuilder, layers: _Layers, heard: str, notes: str) -> None:
    padded = builder.pad(heard, (0, 0, -SHIFTS[0]), (0, 0, SHIFTS[-1] + PLACES - BINS))
    firsts = [shift - SHIFTS[0] for shift in SHIFTS]
    stack = [
        builder.reshape(builder.slice(padded, 2, first, first + PLACES), -1, 1, FRAMES, PLACES) for first in firsts
    ]
    inputs = [builder.node("Concat", stack, axis=1), *map(builder.constant, layers.convolutions[32, 8, 5, 5])]
    hidden = builder.node("Relu", [builder.node("Conv", inputs, strides=[1, 3], pads=[2, 1, 2, 1])])
    weights, bias = layers.convolutions[1, 33, 3, 3]
    of_notes = builder.node("Conv", [notes, builder.constant(weights[:, :1].copy())], pads=[1, 1, 1, 1])
    total = builder.node("Sum", [of_notes, *_moved(builder, hidden, weights[:, 1:])])
    total = builder.node("Add", [total, builder.floats(bias)])
    builder.reshape(builder.node("Sigmoid", [total]), -1, FRAMES, PITCHES, output=ONSETS)


def _by_step(weights: Array) -> Array:
    """A kernel (1, channels, frames, places), to one channel, as one to a channel for each of its frames."""
    return np.ascontiguousarray(weights[0].transpose(1, 0, 2)[:, :, None])


def _moved(builder: GraphBuilder, value: str, weights: Array) -> list[str]:
    """What each frame of a kernel to one channel adds to the convolution of ``value`` (windows, channels, 172, 88)."""
    steps, side = weights.shape[2], weights.shape[3] // 2
    apart = builder.node("Conv", [value, builder.constant(_by_step(weights))], pads=[0, side, 0, side])
    apart = builder.pad(apart, (0, 0, steps // 2, 0), (0, 0, steps // 2, 0))
    return [builder.slice(builder.slice(apart, 1, step, step + 1), 2, step, step + FRAMES) for step in range(steps)]
