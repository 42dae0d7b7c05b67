"""The package's own engine: Spleeter's network for the voice, filters for drums and bass."""

from collections.abc import Iterator

import numpy as np

from antiphon.music import weights
from antiphon.music.separation.rhythm import split_rhythm
from antiphon.music.separation.vocals import VocalMask, split_vocals
from antiphon.music.separators import BUILTIN, STEMS, Workplace
from antiphon.music.signal.framing import Samples


class Builtin:
    """The engine. Fetches the voice's network first if it is not there.

    Raises:
        WeightsError: It is not there and cannot be fetched.
    """

    stems = STEMS[BUILTIN]
    sample_rate = 44_100

    def __init__(self, workplace: Workplace) -> None:
        network = weights.ensure(workplace.models, "spleeter", progress=workplace.progress)
        self._mask = VocalMask(network, workplace.threads)

    def separate(self, blocks: Iterator[Samples], wanted: tuple[str, ...]) -> Iterator[tuple[Samples, Samples]]:
        pairs = split_vocals(blocks, self._mask)
        if set(wanted) <= {"vocal"}:
            for mix, vocals in pairs:
                yield mix, np.stack([vocals] * len(wanted)) if wanted else np.zeros((0, *mix.shape), np.float32)
            return
        places = [self.stems.index(name) for name in wanted]
        for mix, *parts in split_rhythm(pairs):
            yield mix, np.stack([parts[place] for place in places])
