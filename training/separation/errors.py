"""The error of estimated stems, out of an excerpt's band statistics."""

import torch
from torch import Tensor

from training.separation.bands import CROSS, ENERGY
from training.separation.components import COMPONENTS, GRAM, LEVEL, PAIRS, STEMS

SILENCE = 3e-3
"""Share of the mix's energy under which a stem counts as silent: a wrong stem of that energy costs 3 dB."""
BAND_WEIGHT = 10.0
STEM_WEIGHTS = (1.0, 1.0, 1.0, 0.5)


def band_errors(statistics: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Energies (batch, frames, BANDS, STEMS) of the error and of the true stem, relative to the band's mix, for
    ``weights`` (batch, frames, BANDS, COMPONENTS, STEMS)."""
    true = statistics[..., ENERGY:CROSS]
    cross = statistics[..., CROSS:].unflatten(-1, (len(STEMS), len(COMPONENTS)))
    error = true
    for number in range(len(COMPONENTS)):
        error = error - 2 * weights[..., number, :] * cross[..., number]
    for field, (one, other) in enumerate(PAIRS):
        product = weights[..., one, :] * weights[..., other, :] * statistics[..., GRAM + field, None]
        error = error + (product if one == other else 2 * product)
    return error.clamp(min=0), true


def powers(statistics: Tensor) -> Tensor:
    """The bands' energies (batch, frames, BANDS) relative to the excerpt's loudest one."""
    level = statistics[..., LEVEL]
    return torch.exp((level - level.amax(dim=(1, 2), keepdim=True)) * 2.302585)


def energies(statistics: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the whole excerpt: the error's and the true stem's energy (batch, STEMS) and the mix's (batch, 1)."""
    error, true = band_errors(statistics, weights)
    power = powers(statistics)
    total = power.sum(dim=(1, 2))[:, None]
    return (error * power[..., None]).sum(dim=(1, 2)), (true * power[..., None]).sum(dim=(1, 2)), total


def loss_of(statistics: Tensor, weights: Tensor) -> Tensor:
    """The mean over stems of the negative signal-to-distortion ratio in dB, and of the error's amplitude summed over
    bands, in which a quiet band weighs more than by its energy."""
    error, true = band_errors(statistics, weights)
    power = powers(statistics)[..., None]
    total = power.sum(dim=(1, 2))
    floor = SILENCE * total
    ratio = ((error * power).sum(dim=(1, 2)) + floor) / ((true * power).sum(dim=(1, 2)) + floor)
    bands = (torch.sqrt(error + 1e-6) * torch.sqrt(power)).sum(dim=(1, 2)) / torch.sqrt(power).sum(dim=(1, 2))
    stems = torch.tensor(STEM_WEIGHTS, dtype=ratio.dtype)
    each = 10 * torch.log10(ratio) + BAND_WEIGHT * bands
    total_loss: Tensor = (each * stems).sum(dim=1).mean() / stems.sum()
    return total_loss
