"""Graph of Hybrid Transformer Demucs: a U-Net over the spectrum and one over the waveform, joined by a transformer.

The STFT and its inverse are outside (``separation.spectrum``): ``mix`` (1, 2, samples) and ``spectrum`` (1, 4, bins,
frames) go in, of each channel the real and the imaginary part; ``waves`` (sources, 2, samples) and ``spectra``
(sources, 4, bins, frames) come out, whose sum in time is the estimate.
"""

from collections.abc import Sequence

import numpy as np
import onnx

from antiphon.music.separation.htdemucs.checkpoint import Checkpoint
from antiphon.music.separation.htdemucs.config import Config
from antiphon.music.separation.htdemucs.layers import MAX_BINS, LayerBuilder
from antiphon.music.separation.htdemucs.transformer import transform

MIX, SPECTRUM, WAVES, SPECTRA = "mix", "spectrum", "waves", "spectra"
_LEVEL_EPSILON = 1e-5


def build_model(checkpoint: Checkpoint, sources: Sequence[str] | None = None) -> onnx.ModelProto:
    """The model, for segments of one length; ``sources`` are those that it gives, in this order (None: all).

    Raises:
        KeyError: A weight is missing.
        ValueError: There is no such source.
    """
    config, build = checkpoint.config, LayerBuilder(checkpoint.weights)
    chosen = [config.sources.index(name) for name in (sources or config.sources)]
    spectrum, mean, deviation = _standardised(
        build, SPECTRUM, 4 * config.spectrum.bins * config.spectrum.frames, axes=[1, 2, 3]
    )
    wave, wave_mean, wave_deviation = _standardised(build, MIX, 2 * config.length, axes=[1, 2])
    spectra, waves = _branches(build, config, spectrum, wave)
    count, picked = len(config.sources), build.constant(np.array(chosen, np.int64))
    outputs = {
        SPECTRA: (len(chosen), 4, config.spectrum.bins, config.spectrum.frames),
        WAVES: (len(chosen), 2, config.length),
    }
    for name, value, shift, scale in ((SPECTRA, spectra, mean, deviation), (WAVES, waves, wave_mean, wave_deviation)):
        rows = build.node("Gather", [build.reshape(value, count, *outputs[name][1:]), picked], axis=0)
        scaled = build.node("Mul", [rows, scale])
        build.node("Add", [scaled, shift], output=name)
    inputs = {MIX: (1, 2, config.length), SPECTRUM: (1, 4, config.spectrum.bins, config.spectrum.frames)}
    return build.model("htdemucs", inputs, outputs)


def _standardised(build: LayerBuilder, value: str, count: int, *, axes: list[int]) -> tuple[str, str, str]:
    """``value``, of ``count`` numbers, with mean 0 and standard deviation 1, then that mean and deviation."""
    mean = build.node("ReduceMean", [value], axes=axes)
    centred = build.node("Sub", [value, mean])
    squares = build.node("ReduceMean", [build.node("Mul", [centred, centred])], axes=axes)
    deviation = build.node("Sqrt", [build.node("Mul", [squares, build.floats(count / (count - 1))])])
    level = build.node("Add", [deviation, build.floats(_LEVEL_EPSILON)])
    return build.node("Div", [centred, level]), mean, deviation


def _branches(build: LayerBuilder, config: Config, spectrum: str, wave: str) -> tuple[str, str]:
    """Both branches from input to output: encoders, transformer, decoders with the encoders' values beside them."""
    channels, bins, length = 0, config.spectrum.bins, config.length
    beside: list[tuple[str, str, int]] = []
    for level in range(config.depth):
        channels = config.channels * config.growth**level
        bins //= config.stride
        shape = channels, bins, config.spectrum.frames
        wave, shorter = _encode_wave(build, config, wave, f"tencoder.{level}", channels, length)
        spectrum = _encode_spectrum(build, config, spectrum, f"encoder.{level}", shape)
        if level == 0 and config.freq_emb:
            spectrum = _with_places(build, config, spectrum, bins)
        beside.append((spectrum, wave, length))
        length = shorter
    if config.t_layers:
        spectrum, wave = _through_transformer(
            build, config, spectrum, wave, (channels, bins, config.spectrum.frames), length
        )
    for level in range(config.depth):
        shape = config.channels * config.growth ** (config.depth - 1 - level), bins, config.spectrum.frames
        skip, wave_skip, longer = beside.pop()
        last = level == config.depth - 1
        spectrum = _decode_spectrum(build, config, spectrum, skip, f"decoder.{level}", shape, last=last)
        wave = _decode_wave(build, config, wave, wave_skip, f"tdecoder.{level}", shape[0], longer, last=last)
        bins *= config.stride
    return spectrum, wave


def _encode_spectrum(build: LayerBuilder, config: Config, value: str, name: str, shape: tuple[int, int, int]) -> str:
    edge = config.kernel_size // 4
    value = build.gelu(build.conv(value, f"{name}.conv", strides=[config.stride, 1], pads=[edge, 0, edge, 0]))
    if config.dconv_mode & 1:
        value = build.residual_of_bins(value, f"{name}.dconv", shape, config.dconv_depth)
    return build.glu(build.conv(value, f"{name}.rewrite"), shape[0])


def _encode_wave(
    build: LayerBuilder, config: Config, value: str, name: str, channels: int, length: int
) -> tuple[str, int]:
    """The encoded wave and its length; ``length`` is that of ``value``."""
    missing, edge = -length % config.stride, config.kernel_size // 4
    if missing:
        value = build.pad(value, [0, 0, 0], [0, 0, missing])
    value = build.gelu(build.conv(value, f"{name}.conv", strides=[config.stride], pads=[edge, edge]))
    if config.dconv_mode & 1:
        value = build.residual(value, f"{name}.dconv", channels, config.dconv_depth)
    return build.glu(build.conv(value, f"{name}.rewrite"), channels), (length + missing) // config.stride


def _with_places(build: LayerBuilder, config: Config, value: str, bins: int) -> str:
    """``value`` with an embedding of each bin's place added."""
    places = config.freq_emb * config.emb_scale * build.array("freq_emb.embedding.weight")[:bins]
    return build.node("Add", [value, build.floats(places.T[np.newaxis, :, :, np.newaxis])])


def _through_transformer(
    build: LayerBuilder, config: Config, spectrum: str, wave: str, shape: tuple[int, int, int], length: int
) -> tuple[str, str]:
    """Both branches after the transformer, which may work in a number of channels of its own."""
    channels, bins, frames = shape
    wide = config.bottom_channels
    if wide:
        flat = build.conv(build.reshape(spectrum, 1, channels, bins * frames), "channel_upsampler")
        spectrum = build.reshape(flat, 1, wide, bins, frames)
        wave = build.conv(wave, "channel_upsampler_t")
    spectrum, wave = transform(build, config, spectrum, wave, (wide or channels, bins, frames), length)
    if wide:
        flat = build.conv(build.reshape(spectrum, 1, wide, bins * frames), "channel_downsampler")
        spectrum = build.reshape(flat, 1, channels, bins, frames)
        wave = build.conv(wave, "channel_downsampler_t")
    return spectrum, wave


def _decode_spectrum(
    build: LayerBuilder, config: Config, value: str, skip: str, name: str, shape: tuple[int, int, int], *, last: bool
) -> str:
    edge = config.kernel_size // 4
    value = build.node("Add", [value, skip])
    value = _rewritten(build, value, f"{name}.rewrite", shape, config.context)
    if config.dconv_mode & 2:
        value = build.residual_of_bins(value, f"{name}.dconv", shape, config.dconv_depth)
    value = build.conv(value, f"{name}.conv_tr", "ConvTranspose", strides=[config.stride, 1], pads=[edge, 0, edge, 0])
    return value if last else build.gelu(value)


def _rewritten(build: LayerBuilder, value: str, name: str, shape: tuple[int, int, int], around: int) -> str:
    """The gated convolution over both axes, some bins at a time."""
    channels, bins, _ = shape
    padded = build.pad(value, [0, 0, around, 0], [0, 0, around, 0])
    parts = []
    for first in range(0, bins, MAX_BINS):
        some = build.slice(padded, 2, first, min(first + MAX_BINS, bins) + 2 * around)
        parts.append(build.glu(build.conv(some, name, pads=[0, around, 0, around]), channels))
    return build.joined(parts, 2)


def _decode_wave(
    build: LayerBuilder, config: Config, value: str, skip: str, name: str, channels: int, length: int, *, last: bool
) -> str:
    """The decoded wave, ``length`` samples of it."""
    edge, around = config.kernel_size // 4, config.context
    value = build.node("Add", [value, skip])
    value = build.glu(build.conv(value, f"{name}.rewrite", pads=[around, around]), channels)
    if config.dconv_mode & 2:
        value = build.residual(value, f"{name}.dconv", channels, config.dconv_depth)
    value = build.conv(value, f"{name}.conv_tr", "ConvTranspose", strides=[config.stride])
    value = build.slice(value, 2, edge, edge + length)
    return value if last else build.gelu(value)
