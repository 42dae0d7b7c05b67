"""The note network: a small front, harmonic convolutions at several depths, dilated ones over time.

After Ou, Martel, Hennessy-Priest, Cho, "Harmonica: Accurate and Lightweight Instrument-Agnostic Music Transcription",
arXiv 2609.04640, 2026: what lies at the harmonics and subharmonics of a pitch is gathered again and again, after each
block of local convolutions. Other
than there, batch normalisation (which disappears in the exported graph) takes the place of instance normalisation,
and dilated convolutions over time that of the LSTM at each pitch (they train three times as fast on a processor).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from antiphon.music.transcription.levels import BINS_PER_SEMITONE, CHANNELS, FRAMES_PER_STEP, PITCHES, SEMITONES
from antiphon.music.transcription.notenetwork import HEADS

OCTAVES = 3
BETWEEN = (19, 28, 31, 34)
"""Semitones from a note to its third, fifth, sixth and seventh harmonic; the second, fourth and eighth are the octaves.
The subharmonics lie as far below."""
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


class Harmonic(nn.Module):
    """What lies at the harmonics and subharmonics of each pitch, added to what came in. The map
    (batch, channels, steps, rows) leaves with its first ``rows`` rows only.

    The same as shifting the map to each of these places and mixing all channels by one 1 × 1 convolution; as dilated
    convolutions, one for the octaves and one for each other pair, nothing has to be copied."""

    def __init__(self, channels: int, rows: int) -> None:
        super().__init__()
        self.rows = rows
        reach, octave = OCTAVES * 12, (1, 2 * OCTAVES + 1)
        self.octaves = nn.Conv2d(channels, channels, octave, padding=(0, reach), dilation=(1, 12), bias=False)
        self.pairs = nn.ModuleList(
            nn.Conv2d(channels, channels, (1, 2), padding=(0, shift), dilation=(1, 2 * shift), bias=False)
            for shift in BETWEEN
        )
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        gathered = self.octaves(x)
        for pair in self.pairs:
            gathered = gathered + pair(x)
        return torch.relu((x + self.norm(gathered))[..., : self.rows])


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
