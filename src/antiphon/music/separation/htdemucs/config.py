"""Configuration of a Hybrid Transformer Demucs: what its constructor was given, as far as a graph is built from it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from antiphon.music.separation.spectrum import SegmentSpectrum

_MUST_BE: dict[str, tuple[Any, ...]] = {
    "audio_channels": (2,),
    "channels_time": (None,),
    "wiener_iters": (0,),
    "cac": (True,),
    "rewrite": (True,),
    "multi_freqs": (None, []),
    "context_enc": (0,),
    "t_emb": ("sin",),
    "t_norm_in": (True,),
    "t_group_norm": (False, 0),
    "t_norm_first": (True,),
    "t_norm_out": (True,),
    "t_layer_scale": (True,),
    "t_gelu": (True,),
    "t_sin_random_shift": (0,),
    "t_sparse_self_attn": (False,),
    "t_sparse_cross_attn": (False,),
    "use_train_segment": (True,),
}
"""Arguments for which nothing else is built: all published networks have them so."""


@dataclass(frozen=True, slots=True)
class Config:
    """The arguments by the names that the ``demucs`` package gives them, with its defaults."""

    sources: tuple[str, ...]
    samplerate: int = 44_100
    segment: float = 10.0
    channels: int = 48
    growth: int = 2
    nfft: int = 4096
    depth: int = 4
    freq_emb: float = 0.2
    emb_scale: float = 10.0
    kernel_size: int = 8
    stride: int = 4
    context: int = 1
    norm_starts: int = 4
    dconv_mode: int = 1
    dconv_depth: int = 2
    bottom_channels: int = 0
    t_layers: int = 5
    t_heads: int = 8
    t_max_period: float = 10_000.0
    t_weight_pos_embed: float = 1.0
    t_cross_first: bool = False

    @classmethod
    def of_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """The configuration that these arguments make.

        Raises:
            ValueError: An argument is missing or asks for something that is not built.
        """
        for name, allowed in _MUST_BE.items():
            if name in arguments and arguments[name] not in allowed:
                raise ValueError(f"a network with {name} = {arguments[name]!r} is not supported, only {allowed[0]!r}")
        known = {field.name for field in fields(cls)}
        given = {name: value for name, value in arguments.items() if name in known}
        if "sources" not in given:
            raise ValueError("the network does not say which sources it separates")
        given["sources"] = tuple(given["sources"])
        if "segment" in given:
            given["segment"] = _seconds(given["segment"])
        made = cls(**given)
        if made.depth > made.norm_starts or made.kernel_size != 2 * made.stride:
            raise ValueError(
                "a network with norms in its layers, or other kernels than twice their stride, is not supported"
            )
        if made.nfft // 2 // made.stride ** (made.depth - 1) <= made.kernel_size:
            raise ValueError("a network that merges its branches before the transformer is not supported")
        return made

    @property
    def length(self) -> int:
        """Samples of a segment."""
        return int(self.segment * self.samplerate)

    @property
    def spectrum(self) -> SegmentSpectrum:
        """The STFT of a segment."""
        return SegmentSpectrum(self.nfft, self.length)


def _seconds(value: Any) -> Any:
    """A number, or the fraction that the metadata writes as an object. A product of it and the rate must not lose a
    sample to rounding, so the fraction stays one."""
    if isinstance(value, Mapping):
        from fractions import Fraction

        return Fraction(int(value["numerator"]), int(value["denominator"]))
    return value
