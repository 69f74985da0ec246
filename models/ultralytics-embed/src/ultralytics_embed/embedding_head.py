"""A projection that is trained on raw vectors, and becomes a profile of Likeness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class EmbeddingHead(nn.Module):
    """Maps f32 [n, raw_dim] -> f32 [n, dim], rows of unit length. The norm before the projection
    has no weights."""

    def __init__(self, raw_dim: int, dim: int = 512):
        super().__init__()
        self.norm = nn.BatchNorm1d(raw_dim, affine=False)
        self.project = nn.Linear(raw_dim, dim)

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        return F.normalize(self.project(self.norm(raw)))

    def profile(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the trained head as a matrix f32 [dim, raw_dim] and a bias f32 [dim]: vector =
        L2(matrix x raw + bias)."""
        scale = (self.norm.running_var.double() + self.norm.eps).rsqrt()
        weight = self.project.weight.detach().double()
        matrix = weight * scale
        bias = self.project.bias.detach().double() - matrix @ self.norm.running_mean.double()
        return matrix.float().cpu().numpy(), bias.float().cpu().numpy()

    def save_profile(self, path: str | Path) -> Path:
        """Writes the layout of a model folder's `*.profile.f32`: the matrix row by row, then the
        bias, little-endian."""
        matrix, bias = self.profile()
        Path(path).write_bytes(matrix.astype("<f4").tobytes() + bias.astype("<f4").tobytes())
        return Path(path)
