"""The network: convolutions over time and pitch, then dilated ones over time alone.

After Bai, Kolter, Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence
Modeling", 2018, without its causality, and Vogl, Dorfer, Widmer, Knees, "Drum Transcription via Joint Beat and Drum
Modeling Using Convolutional Recurrent Neural Networks", ISMIR 2017, for the front.
"""

import torch
from torch import Tensor, nn

from antiphon.music.drums.features import BANDS
from antiphon.music.drums.onsets import DETAILS, DRUMS

OUTPUTS = len(DRUMS) * 2 + len(DETAILS)


class Residual(nn.Module):
    """A dilated convolution over time and one over channels, added to what came in."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.wide = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.mix = nn.Conv1d(channels, channels, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.drop(self.mix(torch.relu(self.norm(self.wide(x)))))
        return y


def _layer(inside: int, outside: int) -> nn.Sequential:
    """A convolution that halves the bands."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, (3, 5), padding=(1, 2), stride=(1, 2), bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    )


class DrumNetwork(nn.Module):
    """Levels (batch, frames, BANDS), as ``features.scaled`` gives them, to logits (batch, frames, OUTPUTS): onsets of
    ``DRUMS``, their velocities, then ``DETAILS``."""

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 48), channels: int = 96, dropout: float = 0.1) -> None:
        super().__init__()
        self.front = nn.Sequential(_layer(1, widths[0]), _layer(widths[0], widths[1]), _layer(widths[1], widths[2]))
        self.narrow = nn.Sequential(
            nn.Conv1d(widths[2] * (BANDS // 8), channels, 1, bias=False), nn.BatchNorm1d(channels), nn.ReLU()
        )
        self.time = nn.Sequential(*(Residual(channels, 2**power, dropout) for power in range(8)))
        self.head = nn.Sequential(nn.BatchNorm1d(channels), nn.ReLU(), nn.Conv1d(channels, OUTPUTS, 1))

    def forward(self, levels: Tensor) -> Tensor:
        front = self.front(levels.unsqueeze(1))
        flat = front.permute(0, 1, 3, 2).flatten(1, 2)
        out: Tensor = self.head(self.time(self.narrow(flat))).transpose(1, 2)
        return out
