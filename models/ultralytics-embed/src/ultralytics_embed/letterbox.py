"""Fits a picture into the model's canvas, the same as packages/vision/src/picture/letterbox.ts: a
single factor, centred, the rest grey 114.

Area average when shrinking, bilinear with half-pixel centres when enlarging.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PAD = 114 / 255


@dataclass(frozen=True)
class Placement:
    """Place of the picture on the canvas, in canvas pixels."""

    left: int
    top: int
    width: int
    height: int
    scale_x: float
    scale_y: float

    def to_canvas(self, boxes: np.ndarray) -> np.ndarray:
        return boxes * self._scale() + self._offset()

    def to_picture(self, boxes: np.ndarray, width: int, height: int) -> np.ndarray:
        """Converts to picture pixels, cut to the picture."""
        return np.clip((boxes - self._offset()) / self._scale(), 0, np.array([width, height, width, height], np.float32))

    def whole(self) -> np.ndarray:
        return np.array([self.left, self.top, self.left + self.width, self.top + self.height], np.float32)

    def _scale(self) -> np.ndarray:
        return np.array([self.scale_x, self.scale_y] * 2, np.float32)

    def _offset(self) -> np.ndarray:
        return np.array([self.left, self.top] * 2, np.float32)


def place_picture(width: int, height: int, canvas: int) -> Placement:
    scale = min(canvas / width, canvas / height)
    w, h = max(1, _round(width * scale)), max(1, _round(height * scale))
    # Minus .1: a half pixel goes to the right and bottom bar.
    left, top = max(0, _round((canvas - w) / 2 - 0.1)), max(0, _round((canvas - h) / 2 - 0.1))
    return Placement(left, top, w, h, w / width, h / height)


def letterbox(rgb: np.ndarray, canvas: int) -> tuple[np.ndarray, Placement]:
    """Converts u8 [h, w, 3] -> f32 [3, canvas, canvas], 0..1."""
    height, width = rgb.shape[:2]
    place = place_picture(width, height, canvas)
    rows, columns = resampling(place.height, height), resampling(place.width, width)
    planes = rgb.astype(np.float32).transpose(2, 0, 1) / 255
    out = np.full((3, canvas, canvas), PAD, np.float32)
    out[:, place.top : place.top + place.height, place.left : place.left + place.width] = rows @ planes @ columns.T
    return out, place


def resampling(target: int, source: int) -> np.ndarray:
    """Returns f32 [target, source]: the weight of each source sample in a target sample; rows sum
    to 1."""
    ratio = source / target
    weights = np.zeros((target, source), np.float32)
    for i in range(target):
        if ratio > 1:
            start, end = i * ratio, min(source, (i + 1) * ratio)
            # Products of the ratio may be slightly below a whole sample.
            for sample in range(math.floor(start + 1e-9), math.ceil(end)):
                covered = min(end, sample + 1) - max(start, sample)
                if covered > 1e-9:
                    weights[i, sample] = covered / (end - start)
        else:
            position = min(source - 1, max(0.0, (i + 0.5) * ratio - 0.5))
            first = math.floor(position)
            weights[i, first] += 1 - (position - first)
            if position > first:
                weights[i, first + 1] += position - first
    return weights


def _round(value: float) -> int:
    """Rounds in JavaScript's way: halves go up."""
    return math.floor(value + 0.5)
