"""The note network: a small front, harmonic convolutions at several depths, dilated ones over time.

After Ou, Martel, Hennessy-Priest, Cho, "Harmonica: Accurate and Lightweight Instrument-Agnostic Music Transcription",
arXiv 2609.04640, 2026: harmonics and subharmonics of a pitch are gathered by shifting the feature map along pitch and
mixing what lies on top of each other with one 1 × 1 convolution, again after each block of local convolutions. Other
than there, batch normalisation (which disappears in the exported graph) takes the place of instance normalisation,
and dilated convolutions over time that of the LSTM at each pitch (they train three times as fast on a processor).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from training.transcription.features import BINS_PER_SEMITONE, CHANNELS, FRAMES_PER_STEP, PITCHES, SEMITONES
from training.transcription.runtime import HEADS

HARMONICS = (12, 19, 24, 28, 31, 34, 36)
"""Semitones from a note to its second to eighth harmonic; the subharmonics lie as far below."""

RARE = -3.5
"""Logit to begin with: hardly ever is a note struck."""


class Local(nn.Module):
    """Two convolutions over time and pitch, added to what came in."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, size, padding=size // 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, size, padding=size // 2, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


def stacked(x: Tensor, places: Sequence[int], rows: int) -> Tensor:
    """For each of ``places`` the ``rows`` rows of ``x`` (batch, channels, steps, rows) from it on, as more channels."""
    return torch.cat([x[..., place : place + rows] for place in places], dim=1)


class Stacked(torch.autograd.Function):
    """``stacked``, whose gradient is added up in place: autograd's own makes a full map of zeros for each slice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Sequence[int], rows: int) -> Tensor:
        ctx.shape, ctx.places, ctx.rows = x.shape, places, rows
        return stacked(x, places, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        total = gradient.new_zeros(ctx.shape).contiguous(memory_format=torch.channels_last)
        for place, part in zip(ctx.places, gradient.chunk(len(ctx.places), dim=1), strict=True):
            total[..., place : place + ctx.rows] += part
        return total, None, None


class Harmonic(nn.Module):
    """What lies at the harmonics and subharmonics of each pitch, mixed and added to what came in. The map
    (batch, channels, steps, rows) leaves with its first ``rows`` rows only."""

    def __init__(self, channels: int, rows: int, shifts: Sequence[int] = HARMONICS) -> None:
        super().__init__()
        self.rows, self.reach = rows, max(shifts)
        self.places = [self.reach + shift for shift in (0, *shifts, *(-shift for shift in shifts))]
        self.mix = nn.Conv2d(channels * len(self.places), channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        above = self.rows + self.reach - x.shape[3]
        padded = nn.functional.pad(x, (self.reach, max(above, 0)))
        stack = Stacked.apply if self.training else stacked
        gathered = self.mix(stack(padded, self.places, self.rows))
        return torch.relu(x[..., : self.rows] + self.norm(gathered))


class Temporal(nn.Module):
    """A dilated convolution over time at each pitch, added to what came in."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.wide = nn.Conv2d(channels, channels, (3, 1), padding=(dilation, 0), dilation=(dilation, 1), bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.mix(torch.relu(self.norm(self.wide(x))))
        return y


class NoteNetwork(nn.Module):
    """Scaled levels (batch, CHANNELS, frames, BINS), frames a multiple of FRAMES_PER_STEP, to logits
    (batch, len(HEADS), steps, PITCHES)."""

    def __init__(
        self, fine: int = 16, channels: int = 32, depth: int = 3, dilations: Sequence[int] = (1, 2, 4, 8)
    ) -> None:
        super().__init__()
        self.front = nn.Sequential(
            nn.Conv2d(CHANNELS, fine, 5, padding=2, bias=False), nn.BatchNorm2d(fine), nn.ReLU(), Local(fine, 3)
        )
        step = (FRAMES_PER_STEP, BINS_PER_SEMITONE)
        self.narrow = nn.Sequential(
            nn.Conv2d(fine, channels, (2 * step[0], step[1]), stride=step, padding=(step[0] // 2, 0), bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        self.trunk = nn.Sequential(
            *(nn.Sequential(Harmonic(channels, PITCHES), Local(channels, 3)) for _ in range(depth))
        )
        self.time = nn.Sequential(*(Temporal(channels, dilation) for dilation in dilations))
        last = nn.Conv2d(channels, len(HEADS), 1)
        nn.init.constant_(last.bias, RARE)
        self.head = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), last)

    def forward(self, levels: Tensor) -> Tensor:
        out: Tensor = self.head(self.time(self.trunk(self.narrow(self.front(levels)))))
        return out


assert SEMITONES >= PITCHES
