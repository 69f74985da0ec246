"""Reads a file, an array or a PIL picture as upright RGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def read_picture(image: str | Path | np.ndarray | Image.Image) -> np.ndarray:
    """Returns u8 [h, w, 3]. Arrays are RGB (not OpenCV's BGR). ValueError for a transparent
    picture: put it on a ground first."""
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"u8 [h, w, 3] is needed, this is {image.dtype} {list(image.shape)}")
        return image
    opened = ImageOps.exif_transpose(image if isinstance(image, Image.Image) else Image.open(image))
    if "A" in opened.getbands() or "transparency" in opened.info:
        raise ValueError("the picture has transparency: put it on a ground first")
    return np.asarray(opened.convert("RGB"))
