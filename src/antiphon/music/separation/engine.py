"""Separation of a song into one file per stem."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from antiphon.errors import NotAudio
from antiphon.music import weights
from antiphon.music.audio import Codec, Writer, stated_duration, stream
from antiphon.music.audio.source import UNREADABLE
from antiphon.music.progress import Progress, part, silent
from antiphon.music.separation.rhythm import split_rhythm
from antiphon.music.separation.vocals import VocalMask, split_vocals
from antiphon.music.signal.framing import Samples

SeparationKind = Literal["separate_vocal", "split_stem", "split_stem_advanced"]
STEMS: dict[str, tuple[str, ...]] = {
    "separate_vocal": ("vocal", "instrumental"),
    "split_stem": ("vocal", "drums", "bass", "other"),
}
SAMPLE_RATE = 44_100
_BLOCK = 2**17
_STEP = np.float32(1 / 32768)


def separate(
    source: Path,
    out: Path,
    *,
    kind: SeparationKind,
    models: Path,
    codec: Codec = "flac",
    stem: str | None = None,
    threads: int,
    progress: Progress = silent,
) -> dict[str, Path]:
    """Separate a song into stems, written as ``<stem>.<codec>``, 44.1 kHz stereo.

    The stems sum to the source (with FLAC and WAV: to half a step of 16 bit). Memory does not grow with the song.

    Args:
        source: The song.
        out: Folder for the stems; it is made where it is not there.
        kind: Which stems; ``STEMS`` lists them.
        models: Folder in which the weights are kept.
        codec: The kind of file.
        stem: For ``split_stem_advanced``: the stem to take out, one of ``split_stem``'s, beside which the rest is left.
        threads: At most so many are used.
        progress: Is told the share of the work that is done.

    Returns:
        Path by stem.

    Raises:
        NotAudio: The song cannot be decoded.
        WeightsError: The weights are not there and cannot be fetched.
        ValueError: There is no such ``kind`` or ``stem``.
    """
    if kind not in get_args(SeparationKind):
        raise ValueError(f"kind must be one of {get_args(SeparationKind)}, got {kind!r}")
    names = _names(kind, stem)
    network = weights.ensure(models, "spleeter", progress=part(progress, 0, 0.05))
    mask = VocalMask(network, threads)
    total = stated_duration(source)
    blocks = stream(source, sample_rate=SAMPLE_RATE, channels=2, block=_BLOCK)
    pairs = split_vocals(blocks, mask)
    if kind == "separate_vocal" or stem == "vocal":
        stems = _instrumental(pairs)
    else:
        stems = _four(pairs) if stem is None else _one(_four(pairs), STEMS["split_stem"].index(stem))
    out.mkdir(parents=True, exist_ok=True)
    paths = {name: out / f"{name}.{codec}" for name in names}
    with ExitStack() as stack:
        writers = [stack.enter_context(Writer(path, SAMPLE_RATE, 2, codec)) for path in paths.values()]
        pool = stack.enter_context(ThreadPoolExecutor(min(threads, len(writers))))
        done = 0
        for mix, parts in stems:
            list(pool.map(Writer.write, writers, _on_grid(mix, parts)))
            done += len(mix)
            progress(0.05 + 0.95 * _fraction(done / SAMPLE_RATE, total), "separating")
        if not done:
            raise NotAudio(UNREADABLE)
    progress(1.0, "separated")
    return paths


def _names(kind: SeparationKind, stem: str | None) -> tuple[str, ...]:
    """The stem that is asked for first; the rest takes up the rounding of the others and comes last."""
    if kind != "split_stem_advanced":
        return STEMS[kind]
    if stem not in STEMS["split_stem"]:
        raise ValueError(f"stem must be one of {STEMS['split_stem']}, got {stem!r}")
    return stem, "instrumental" if stem in ("vocal", "other") else "other"


def _fraction(done: float, total: float | None) -> float:
    """How far along, both in seconds; without a known length it nears 1 and never reaches it."""
    return min(done / total, 1.0) if total else done / (done + 180)


def _instrumental(pairs: Iterator[tuple[Samples, Samples]]) -> Iterator[tuple[Samples, list[Samples]]]:
    for mix, vocals in pairs:
        yield mix, [vocals]


def _four(pairs: Iterator[tuple[Samples, Samples]]) -> Iterator[tuple[Samples, list[Samples]]]:
    for mix, vocals, drums, bass in split_rhythm(pairs):
        yield mix, [vocals, drums, bass]


def _one(stems: Iterator[tuple[Samples, list[Samples]]], index: int) -> Iterator[tuple[Samples, list[Samples]]]:
    """The stem at ``index``; the last one is what the others leave."""
    for mix, parts in stems:
        yield mix, [parts[index] if index < len(parts) else mix - sum(parts, np.zeros_like(mix))]


def _on_grid(mix: Samples, parts: list[Samples]) -> list[Samples]:
    """``parts`` rounded to 16 bit, and what they leave of ``mix`` as one more: rounding and clipping of the others
    end up there, so that the files sum to the mix."""
    rounded = [np.clip(np.rint(samples / _STEP) * _STEP, -1, 1 - _STEP) for samples in parts]
    return [*rounded, mix - sum(rounded, np.zeros_like(mix))]
