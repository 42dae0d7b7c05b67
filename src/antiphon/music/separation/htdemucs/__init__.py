"""Hybrid Transformer Demucs as ONNX graphs, built from the published weights.

Rouard, Massa, Défossez, "Hybrid transformers for music source separation", ICASSP 2023. PyTorch is not needed: the
weights are read by ``checkpoint``, and ``graph`` says what is computed with them.
"""

from antiphon.music.separation.htdemucs.checkpoint import Checkpoint, read_checkpoint
from antiphon.music.separation.htdemucs.config import Config
from antiphon.music.separation.htdemucs.graph import build_model

__all__ = ["Checkpoint", "Config", "build_model", "read_checkpoint"]
