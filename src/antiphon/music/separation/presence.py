"""Presence of stems: which of them hold an instrument, and which only what leaked into them."""

from collections.abc import Iterator

import numpy as np

from antiphon.music.signal.framing import Samples

MIN_JUDGED_S = 10.0
"""Seconds of a song below which every stem counts as there: a short one says too little."""
MAX_FAINT_DB = 30.0
"""A stem whose energy is so far below the mix's holds nothing of its own."""


class Presence:
    """Watches stems as they are made, and says afterwards which of them the song does not have.

    Args:
        names: Of the stems that are judged, in the order in which they come.
        rate: Samples a second.
    """

    def __init__(self, names: tuple[str, ...], rate: int) -> None:
        self._names = names
        self._rate = rate
        self._length = 0
        self._mix = 0.0
        self._energy = np.zeros(len(names))

    def watched(self, pairs: Iterator[tuple[Samples, Samples]]) -> Iterator[tuple[Samples, Samples]]:
        """The pairs of mix (n, 2) and stems (stems, n, 2) as they come."""
        for mix, stems in pairs:
            if self._names:
                self._length += len(mix)
                self._mix += float(np.square(mix, dtype=np.float64).sum())
                self._energy += np.square(stems, dtype=np.float64).sum(axis=(1, 2))
            yield mix, stems

    def absent(self) -> list[str]:
        """The stems that the song does not have."""
        if self._length < MIN_JUDGED_S * self._rate:
            return []
        faint = self._mix * 10 ** (-MAX_FAINT_DB / 10)
        return [name for name, energy in zip(self._names, self._energy, strict=True) if energy <= faint]
