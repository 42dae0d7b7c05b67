"""What a mask per band can and cannot do to a mixture, as a few numbers for each band and frame.

A stem is estimated as ``Σ m_c · C_c`` over the three components ``C`` of the mixture (``antiphon.music.separation.
components``), with one weight ``m`` per stem, component, band and frame. The squared error of such an estimate over a
band's bins and both channels is

    |s|² − 2 Σ m_c <s, C_c> + Σ m_c m_d <C_c, C_d>

so these inner products are all that a training has to keep of an excerpt: its loss is the exact error of the
complex spectrogram without a single bin in memory.
"""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.separation.spectra import Frames
from training.separation.components import COMPONENTS, KNOWN, STEMS, TINY, Floats, Mixture, power, summed

ENERGY, CROSS = KNOWN, KNOWN + len(STEMS)
"""The fields of the true stems: their energies, and from ``CROSS`` on their inner products with the components."""
FIELDS = CROSS + len(STEMS) * len(COMPONENTS)
_MAX_RATIO = 1e4


def statistics(mixture: Mixture, stems: tuple[Frames, ...]) -> NDArray[np.float16]:
    """(n, BANDS, FIELDS): what the network sees, and for the true ``STEMS``, relative to the band's energy, each
    one's energy and its inner products with the components."""
    total = summed(power(mixture.frames).sum(axis=1)) + np.float32(TINY)
    energies: list[Floats] = []
    products: list[Floats] = []
    for stem in stems:
        energies.append(summed(power(stem).sum(axis=1)) / total)
        product = stem.real * mixture.frames.real + stem.imag * mixture.frames.imag
        products += [summed((product * share).sum(axis=1)) / total for share in mixture.shares()]
    fields = np.concatenate([mixture.known(), np.stack([*energies, *products], axis=-1)], axis=-1)
    return np.asarray(np.clip(fields, -_MAX_RATIO, _MAX_RATIO), np.float16)
