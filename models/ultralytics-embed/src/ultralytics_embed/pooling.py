"""Turns a box of a feature map into numbers, exactly the same as
packages/vision/src/onnx/pooling.ts.

y = RoiAlign(avg, 3x3, sampling_ratio 2, half_pixel, (relu(x) + 0.001)^3)^(1/3), flattened
channel-major [C,3,3], each map L2-normalised, then concatenated: stride 8 first.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torchvision.ops import roi_align

GRID = 3
SAMPLING_RATIO = 2
POWER = 3
EPSILON = 0.001


def raw_dim(channels: int) -> int:
    return channels * GRID**2


def pool_map(feature_map: torch.Tensor, rois: torch.Tensor, batch: torch.Tensor, stride: int) -> torch.Tensor:
    """Maps f32 [b, c, h, w], corners f32 [n, 4], picture of each i64 [n] -> f32 [n, c * 9], rows of
    unit length."""
    positive = (torch.relu(feature_map) + EPSILON) ** POWER
    indexed = torch.cat([batch[:, None].to(rois.dtype), rois], 1)
    pooled = roi_align(positive, indexed, GRID, spatial_scale=1 / stride, sampling_ratio=SAMPLING_RATIO, aligned=True)
    # Above 0, because the root has no slope at 0.
    return F.normalize((pooled.clamp_min(1e-12) ** (1 / POWER)).flatten(1))
