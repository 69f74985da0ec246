"""Vectors of boxes, exactly as packages/vision/src/pooling.ts makes them."""
import torch
import torch.nn.functional as F
from torchvision.ops import roi_align

GRID, POWER, EPSILON, SAMPLES = 3, 3, 0.001, 2


def pool(maps, rois):
    """`maps`: (map, stride) pairs; `rois` [n, 5]: picture, left, top, right, bottom in pixels. Gives [n, dims]."""
    parts = []
    for x, stride in maps:
        powered = (x.float().relu() + EPSILON) ** POWER
        cells = roi_align(powered, rois, GRID, spatial_scale=1 / stride, sampling_ratio=SAMPLES, aligned=True)
        parts.append(F.normalize((cells.clamp_min(1e-12) ** (1 / POWER)).flatten(1)))
    return torch.cat(parts, 1)


def load_profile(file, dims=1728):
    """The closed-form projection: matrix [k, dims] and bias [k]."""
    import numpy as np

    values = np.fromfile(file, "<f4")
    k = values.size // (dims + 1)
    return torch.from_numpy(values[: k * dims].reshape(k, dims).copy()), torch.from_numpy(values[k * dims :].copy())
