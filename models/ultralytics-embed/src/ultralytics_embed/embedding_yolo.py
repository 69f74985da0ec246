"""A `YOLO` of Ultralytics that also gives a vector for each object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torchvision.ops import nms
from ultralytics import YOLO

from .export_onnx import export_onnx
from .letterbox import letterbox
from .picture import read_picture
from .tapped_detector import TappedDetector


@dataclass(frozen=True)
class Objects:
    """Boxes are corners in pixels of the upright picture, best first."""

    boxes: np.ndarray
    """f32 [n, 4]"""
    scores: np.ndarray
    classes: np.ndarray
    names: list[str]
    raw: np.ndarray
    """f32 [n, raw_dim]: each map's part has unit length; a profile (an `EmbeddingHead`) is applied after it."""
    whole: np.ndarray
    """f32 [raw_dim], of the picture without the letterbox bars."""
    extra: np.ndarray
    """f32 [m, raw_dim], of the boxes that were given."""


class EmbeddingYOLO:
    """`model`: an argument of `YOLO` (a .pt file, a .yaml), or a `YOLO`. The weights are used, not
    copied."""

    def __init__(self, model: str | Path | YOLO, size: int = 640):
        self.yolo = model if isinstance(model, YOLO) else YOLO(str(model))
        if self.yolo.task != "detect":
            raise ValueError(f"a detector is needed, this is a model for the task {self.yolo.task}")
        self.size = size
        self.detector = TappedDetector(self.yolo.model, size)

    @property
    def raw_dim(self) -> int:
        return self.detector.raw_dim

    @torch.no_grad()
    def embed_objects(self, image, boxes=(), *, confidence: float = 0.25, iou: float = 0.6, max_detections: int = 5) -> Objects:
        """`boxes`: more boxes in picture pixels. They get a vector with or without a detection."""
        picture = read_picture(image)
        height, width = picture.shape[:2]
        planes, place = letterbox(picture, self.size)
        parameter = next(self.yolo.model.parameters())
        self.yolo.model.eval()
        every_box, *maps = self.detector(torch.from_numpy(planes)[None].to(parameter))
        found, scores, classes = self._choose(every_box[0].float(), confidence, iou, max_detections)
        given = place.to_canvas(np.asarray(boxes, np.float32).reshape(-1, 4))
        rois = np.concatenate([found.cpu().numpy(), place.whole()[None], given])
        on_device = torch.from_numpy(rois).to(parameter.device)
        raw = self.detector.pool([one.float() for one in maps], on_device, torch.zeros(len(rois), dtype=torch.long, device=parameter.device)).cpu().numpy()
        count = len(found)
        return Objects(
            boxes=place.to_picture(found.cpu().numpy(), width, height),
            scores=scores.cpu().numpy(),
            classes=classes.cpu().numpy(),
            names=[self.yolo.names[int(one)] for one in classes],
            raw=raw[:count],
            whole=raw[count],
            extra=raw[count + 1 :],
        )

    def export(self, path: str | Path, *, embed: bool = True, opset: int = 17) -> Path:
        """Writes an ONNX file. `embed`: with the inputs and outputs of `likeness model import` (see
        README.md); else Ultralytics' own export of the same size."""
        if embed:
            return export_onnx(self.yolo, self.size, Path(path), opset)
        made = self.yolo.export(format="onnx", imgsz=self.size, opset=opset, simplify=False)
        return Path(made).replace(path)

    def _choose(self, every_box: torch.Tensor, confidence: float, iou: float, most: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Returns the best boxes on the canvas. An end-to-end head needs no suppression."""
        rows = every_box if self.detector.is_end_to_end else every_box.T
        scores, classes = rows[:, 4:].max(1)
        sure = scores > confidence
        boxes, scores, classes = rows[sure, :4], scores[sure], classes[sure]
        if self.detector.is_end_to_end:
            kept = scores.argsort(descending=True, stable=True)
        else:
            centre, half = boxes[:, :2], boxes[:, 2:] / 2
            boxes = torch.cat([centre - half, centre + half], 1)
            kept = nms(boxes, scores, iou)
        kept = kept[:most]
        return boxes[kept], scores[kept], classes[kept]
