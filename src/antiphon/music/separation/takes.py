"""Stems in the making: kept on the disk until it is known which of them are there and how loud they are.

16 bits a sample in blocks, each with a scale of its own, so that what is louder than full scale is kept too.
"""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from antiphon.music.audio import Codec, Writer
from antiphon.music.progress import Progress
from antiphon.music.signal.framing import Samples

CHANNELS = 2
STEP = np.float32(1 / 32768)
_LOUDEST = np.float32(32767 / 32768)


class Take:
    """Samples (n, 2) of one stem in a file; ``peak`` is the highest so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._blocks: list[tuple[int, float]] = []
        self.peak = 0.0

    def push(self, samples: Samples) -> Samples:
        """Append; gives the samples as they were kept, on the grid of 16 bits."""
        peak = float(np.abs(samples).max(initial=0.0))
        self.peak = max(self.peak, peak)
        scale = np.float32(2.0 ** max(np.ceil(np.log2(peak / _LOUDEST)), 0.0)) if peak > _LOUDEST else np.float32(1)
        steps = np.clip(np.rint(samples / (scale * STEP)), -32768, 32767).astype("<i2")
        self._file.write(steps.tobytes())
        self._blocks.append((len(samples), float(scale)))
        kept: Samples = steps * (scale * STEP)
        return kept

    def blocks(self) -> Iterator[Samples]:
        self._file.seek(0)
        for count, scale in self._blocks:
            data = self._file.read(2 * CHANNELS * count)
            yield np.frombuffer(data, "<i2").reshape(count, CHANNELS) * (np.float32(scale) * STEP)


class Takes:
    """Stems and what they leave of the mix, which comes last and takes up the rounding: together they are the mix.

    A context manager; the files are gone at its end.

    Args:
        folder: Where the files are made: two bytes a sample, channel and stem.
        stems: How many, without the rest.
    """

    def __init__(self, folder: Path, stems: int) -> None:
        self._stack = ExitStack()
        self._takes = [
            Take(self._stack.enter_context(tempfile.TemporaryFile(dir=folder)))  # noqa: SIM115 - the stack closes it
            for _ in range(stems + 1)
        ]
        self.length = 0

    def push(self, mix: Samples, stems: Samples) -> None:
        """Append ``mix`` (n, 2) and its ``stems`` (stems, n, 2)."""
        rest = mix.copy()
        for take, samples in zip(self._takes, stems, strict=False):
            rest -= take.push(samples)
        self._takes[-1].push(rest)
        self.length += len(mix)

    def _merged(self, dropped: Sequence[int]) -> Iterator[list[Samples]]:
        """Blocks of the stems that are kept, and of the rest with the ``dropped`` ones in it."""
        for parts in zip(*(take.blocks() for take in self._takes), strict=True):
            rest = sum((parts[place] for place in dropped), parts[-1])
            yield [*(part for place, part in enumerate(parts[:-1]) if place not in dropped), rest]

    def gain(self, dropped: Sequence[int]) -> float:
        """The factor, at most 1, by which no stem is louder than full scale."""
        if dropped:  # the rest is louder or quieter with them
            merged = self._merged(dropped)
            peak = max((float(np.abs(part).max(initial=0.0)) for parts in merged for part in parts), default=0.0)
        else:
            peak = max(take.peak for take in self._takes)
        return 1.0 if peak <= 1.0 else float(_LOUDEST) / peak

    def write(
        self,
        paths: Sequence[Path | None],
        dropped: Sequence[int],
        *,
        sample_rate: int,
        codec: Codec,
        gain: float,
        threads: int,
        progress: Progress,
    ) -> None:
        """Write the stems that are kept and the rest, times ``gain``, to ``paths`` (None: not at all). The rest takes
        up the rounding again."""
        done = 0
        with ExitStack() as stack:
            writers = {
                place: stack.enter_context(Writer(path, sample_rate, CHANNELS, codec))
                for place, path in enumerate(paths)
                if path is not None
            }
            pool = stack.enter_context(ThreadPoolExecutor(min(threads, len(writers))))
            for parts in self._merged(dropped):
                scaled = parts if gain == 1.0 else _scaled(parts, np.float32(gain))
                list(pool.map(Writer.write, writers.values(), [scaled[place] for place in writers]))
                done += len(parts[0])
                progress(done / max(self.length, 1), "storing")

    def __enter__(self) -> "Takes":
        return self

    def __exit__(self, *reason: object) -> None:
        self._stack.close()


def _scaled(parts: list[Samples], gain: np.float32) -> list[Samples]:
    scaled = [np.rint(part * (gain / STEP)) * STEP for part in parts[:-1]]
    whole = gain * np.sum(parts, axis=0)
    return [*scaled, whole - np.sum(scaled, axis=0) if scaled else whole]
