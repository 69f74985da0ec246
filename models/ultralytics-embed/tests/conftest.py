"""Detectors that are built from their yaml: random weights, but scores that differ from box to box.
"""

import numpy as np
import pytest
import torch
from ultralytics import YOLO

from ultralytics_embed.letterbox import letterbox

SIZE = 320
YAMLS = ["yolov8n.yaml", "yolo11n.yaml", "yolo26n.yaml"]


def noise_picture(width: int = 300, height: int = 200, seed: int = 0) -> np.ndarray:
    """Returns coloured blocks, u8 [h, w, 3]."""
    blocks = np.random.default_rng(seed).integers(0, 256, (height // 20 + 1, width // 20 + 1, 3), np.uint8)
    return np.ascontiguousarray(blocks.repeat(20, 0).repeat(20, 1)[:height, :width])


@pytest.fixture(scope="session", params=YAMLS)
def yolo(request) -> YOLO:
    torch.manual_seed(1)
    model = YOLO(request.param)
    network = model.model
    pictures = torch.from_numpy(np.stack([letterbox(noise_picture(seed=seed), SIZE)[0] for seed in range(100, 108)]))
    with torch.no_grad():
        network.train()
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = None  # the average of all batches
                layer.reset_running_stats()
        network(pictures)
        network.eval()
        spread_scores(network, pictures)
    return model


def spread_scores(network: torch.nn.Module, pictures: torch.Tensor) -> None:
    """Sets the scores: about a box in a hundred scores above a half, and every box keeps its
    corners in order."""
    head = network.model[-1]
    for convolutions in [head.cv2, getattr(head, "one2one_cv2", None) or []]:
        for scale in convolutions:
            scale[-1].weight.data *= 0.1
    for convolutions in [head.cv3, getattr(head, "one2one_cv3", None) or []]:
        for scale in convolutions:
            last = scale[-1]
            seen = []
            hook = last.register_forward_hook(lambda _, __, output: seen.append(output))
            network(pictures)
            hook.remove()
            # A head that this network does not run in evaluation has no values.
            if not seen:
                continue
            best = seen[0].amax(1).flatten()
            middle = best.quantile(0.99)
            steepness = 1.5 / (best.max() - middle)
            last.bias.data = (last.bias.data - middle) * steepness
            last.weight.data *= steepness
