"""Vectors of boxes, exactly as packages/vision/src/pooling.ts makes them."""
import torch
import torch.nn.functional as F
from torchvision.ops import roi_align

POWER, EPSILON = 3, 0.001
# Of a box's side, however many cells it is divided into.
SAMPLES = 6


def pool(maps, rois):
    """`maps`: (map, stride, grid, weight) of each; `rois` [n, 5]: picture, left, top, right, bottom in pixels. Gives [n, dims]."""
    parts = []
    for x, stride, grid, weight in maps:
        powered = (x.float().relu() + EPSILON) ** POWER
        cells = roi_align(powered, rois, grid, spatial_scale=1 / stride, sampling_ratio=SAMPLES // grid, aligned=True)
        parts.append(weight * F.normalize((cells.clamp_min(1e-12) ** (1 / POWER)).flatten(1)))
    return torch.cat(parts, 1)


def load_profile(file, dims=2304):
    """The closed-form projection: matrix [k, dims] and bias [k]."""
    import numpy as np

    values = np.fromfile(file, "<f4")
    k = values.size // (dims + 1)
    return torch.from_numpy(values[: k * dims].reshape(k, dims).copy()), torch.from_numpy(values[k * dims :].copy())
