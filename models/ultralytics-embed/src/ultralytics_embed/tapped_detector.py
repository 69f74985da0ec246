"""A detector that answers all of its boxes and the two maps that vectors are pooled from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from .pooling import pool_map, raw_dim
from .taps import find_taps

# Strides of the maps that raw vectors are made of, finest first.
POOLED_STRIDES = (8, 16)


@dataclass(frozen=True)
class Tap:
    layer: int
    stride: int
    channels: int


class TappedDetector(nn.Module):
    """`network` is the model inside a `YOLO`; it is used, not copied, so gradients reach the model.
    """

    def __init__(self, network: nn.Module, size: int):
        super().__init__()
        self.network = network
        self.head = network.model[-1]
        self.is_end_to_end = bool(getattr(self.head, "end2end", False))
        self.taps = self._measure_taps(size)
        self.raw_dim = sum(raw_dim(tap.channels) for tap in self.taps)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Maps f32 [b, 3, h, w], RGB, 0..1 -> every box with its class scores, then the maps,
        finest first.

        Boxes are [b, 4 + classes, n] as centre and size, or [b, n, 4 + classes] as corners where
        the head chooses end to end; the choice is left out. In evaluation mode only.
        """
        results = self._run(pixels, len(self.network.model))
        every_box = results[-1]
        return (every_box if torch.is_tensor(every_box) else every_box[0], *(results[tap.layer] for tap in self.taps))

    def raw_vectors(self, pixels: torch.Tensor, rois: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        """Returns f32 [n, raw_dim]: a raw vector for each of `rois` (f32 [n, 4], corners in pixels
        of the input). `batch` (i64 [n]) names the pictures. The head does not run; gradients reach
        the backbone."""
        results = self._run(pixels, max(tap.layer for tap in self.taps) + 1)
        return self.pool([results[tap.layer] for tap in self.taps], rois, batch)

    def pool(self, maps: list[torch.Tensor], rois: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        return torch.cat([pool_map(one, rois, batch, tap.stride) for one, tap in zip(maps, self.taps)], 1)

    def _run(self, pixels: torch.Tensor, count: int) -> list[torch.Tensor]:
        """Returns the results of the first `count` layers, connected like the network's own
        forward."""
        results: list[torch.Tensor] = []
        x = pixels
        for layer in self.network.model[:count]:
            if layer.f != -1:
                x = results[layer.f] if isinstance(layer.f, int) else [x if j == -1 else results[j] for j in layer.f]
            if layer is self.head and self.is_end_to_end:
                x = _without_choosing(layer, x)
            else:
                x = layer(x)
            results.append(x)
        return results

    def _measure_taps(self, size: int) -> list[Tap]:
        parameter = next(self.network.parameters())
        layers = find_taps(self.network.model)
        was_training = self.network.training
        self.network.eval()
        with torch.no_grad():
            dummy = torch.zeros(1, 3, size, size, device=parameter.device, dtype=parameter.dtype)
            results = self._run(dummy, max(layers) + 1)
        self.network.train(was_training)
        found = {size // results[layer].shape[-1]: Tap(layer, size // results[layer].shape[-1], results[layer].shape[1]) for layer in layers}
        missing = [stride for stride in POOLED_STRIDES if stride not in found]
        if missing:
            raise ValueError(f"no backbone map of stride {missing[0]}; found strides {sorted(found)}")
        return [found[stride] for stride in POOLED_STRIDES]


def _without_choosing(head: nn.Module, x: list[torch.Tensor]) -> torch.Tensor:
    """Returns every box of an end-to-end head, [b, n, 4 + classes]."""
    head.postprocess = lambda every_box: every_box
    try:
        answer = head(x)
    finally:
        del head.postprocess
    return answer if torch.is_tensor(answer) else answer[0]
