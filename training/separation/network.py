"""The network: a U-Net over frequency whose bottom is a stack of dilated convolutions over time.

After Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015, without
pooling over time, and Bai, Kolter, Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks
for Sequence Modeling", 2018, without its causality.
"""

import torch
from torch import Tensor, nn

from training.separation.components import BANDS, COMPONENTS, GRAM, LEVEL, SIDE, STEMS

CHANNELS = 5
SPAN = 4.0
"""Decades of power from the mean down to which levels are told apart; the scale is such that these are 0 … 1."""
_FLOOR = 1e-4


def features(known: Tensor) -> Tensor:
    """What ``Mixture.known`` gives, (batch, frames, BANDS, 8), as (batch, CHANNELS, frames, BANDS), whatever the level:
    the band's level and that of the accompaniment relative to the mean power; the percussive, vocal and side share."""
    level = known[..., LEVEL]
    power = torch.exp((level - level.amax(dim=(1, 2), keepdim=True)) * 2.302585)
    mean = torch.log10(power.mean(dim=(1, 2), keepdim=True)) + level.amax(dim=(1, 2), keepdim=True)
    percussive, voice = known[..., GRAM], known[..., GRAM + 2]
    accompaniment = percussive + known[..., GRAM + 1] + 2 * known[..., GRAM + 3]
    relative = level - mean
    channels = [
        relative.clamp(-SPAN * 1.5, SPAN) / SPAN + 1,
        (relative + torch.log10(accompaniment.clamp(min=0) + _FLOOR)).clamp(-SPAN * 1.5, SPAN) / SPAN + 1,
        torch.sqrt((percussive.clamp(min=0) + _FLOOR) / (accompaniment.clamp(min=0) + 2 * _FLOOR)),
        torch.sqrt(voice.clamp(min=0) + _FLOOR),
        torch.sqrt(known[..., SIDE].clamp(min=0) + _FLOOR),
    ]
    return torch.stack(channels, dim=1)


class Residual(nn.Module):
    """A dilated convolution over time and one over channels, added to what came in."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.wide = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.mix(torch.relu(self.norm(self.wide(x))))
        return y


def _halving(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, (3, 5), padding=(1, 2), stride=(1, 2), bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    )


def _doubling(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(inside, outside, (3, 4), padding=(1, 1), stride=(1, 2), bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    )


class SeparationNetwork(nn.Module):
    """``known`` (batch, frames, BANDS, 8) to logits (batch, frames, BANDS, COMPONENTS, STEMS); a softmax over the last
    axis says how a component is shared out to the stems."""

    def __init__(self, widths: tuple[int, int, int] = (24, 48, 64), channels: int = 192, levels: int = 8) -> None:
        super().__init__()
        first, second, third = widths
        bottom = third * (BANDS // 8)
        self.place = nn.Parameter(torch.zeros(1, CHANNELS, 1, BANDS))
        self.down = nn.ModuleList([_halving(CHANNELS, first), _halving(first, second), _halving(second, third)])
        self.narrow = nn.Sequential(nn.Conv1d(bottom, channels, 1, bias=False), nn.BatchNorm1d(channels), nn.ReLU())
        self.time = nn.Sequential(*(Residual(channels, 2**power) for power in range(levels)))
        self.widen = nn.Sequential(
            nn.BatchNorm1d(channels), nn.ReLU(), nn.Conv1d(channels, bottom, 1, bias=False), nn.BatchNorm1d(bottom)
        )
        self.up = nn.ModuleList(
            [_doubling(2 * third, second), _doubling(2 * second, first), _doubling(2 * first, first)]
        )
        self.head = nn.Conv2d(first + CHANNELS, len(COMPONENTS) * len(STEMS), (1, 3), padding=(0, 1))

    def forward(self, known: Tensor) -> Tensor:
        seen = features(known) + self.place
        value, skips = seen, []
        for layer in self.down:
            value = layer(value)
            skips.append(value)
        batch, width, frames, bands = value.shape
        flat = value.permute(0, 1, 3, 2).reshape(batch, width * bands, frames)
        wide = torch.relu(self.widen(self.time(self.narrow(flat))))
        value = wide.reshape(batch, width, bands, frames).permute(0, 1, 3, 2)
        for layer in self.up:
            value = layer(torch.cat([skips.pop(), value], dim=1))
        out: Tensor = self.head(torch.cat([seen, value], dim=1))
        return out.permute(0, 2, 3, 1).reshape(batch, frames, BANDS, len(COMPONENTS), len(STEMS))
