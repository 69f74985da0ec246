"""Writes the detector as an ONNX file whose single run gives boxes and raw vectors: the outputs of
packages/vision/src/onnx/append-embedding.ts."""

from __future__ import annotations

import copy
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper
from ultralytics import YOLO

from . import pooling
from .tapped_detector import TappedDetector

# Opsets above these lack RoiAlign in onnxruntime's CPU provider. Opsets below have RoiAlign without
# half_pixel.
OPSETS = range(16, 22)
# Output of Ultralytics' own export: `likeness model import` begins there.
DETECTIONS = "output0"
EVERY_BOX = "every_box"


def export_onnx(yolo: YOLO, size: int, path: Path, opset: int) -> Path:
    """Exports for any batch; height and width are `size`. ValueError for an opset without the
    operators."""
    if opset not in OPSETS:
        raise ValueError(f"opset {opset}: {OPSETS.start} to {OPSETS.stop - 1} have what is needed")
    network = copy.deepcopy(yolo.model).cpu().float().eval().fuse(verbose=False)
    head = network.model[-1]
    head.export, head.format, head.dynamic = True, "onnx", False
    detector = TappedDetector(network, size)
    maps = [f"backbone_{tap.stride}" for tap in detector.taps]
    outputs = [DETECTIONS, *([EVERY_BOX] if detector.is_end_to_end else []), *maps]
    dummy = torch.zeros(2, 3, size, size)
    with torch.no_grad():
        detector(dummy)  # makes the anchors, once, outside the graph
        torch.onnx.export(
            _WithOwnChoice(detector), (dummy,), str(path), opset_version=opset, dynamo=False, input_names=["images"],
            output_names=outputs, dynamic_axes={name: {0: "batch"} for name in ["images", *outputs]},
        )
    model = onnx.load(path)
    _append(model.graph, detector, maps)
    _describe(model, yolo, size)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


class _WithOwnChoice(torch.nn.Module):
    """Puts the answer of an end-to-end head before all of its boxes."""

    def __init__(self, detector: TappedDetector):
        super().__init__()
        self.detector = detector

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        every_box, *maps = self.detector(pixels)
        return (self.detector.head.postprocess(every_box), every_box, *maps) if self.detector.is_end_to_end else (every_box, *maps)


def _append(graph: onnx.GraphProto, detector: TappedDetector, maps: list[str]) -> None:
    build = _Builder(graph)
    boxes, score, class_id = _read_boxes(build, detector)
    rois, batch = _suppress(build, boxes, score, class_id, corners=detector.is_end_to_end)
    parts = [_pool(build, name, tap.stride, rois, batch) for name, tap in zip(maps, detector.taps)]
    build.node("Concat", parts, "raw", axis=1)

    def value(name: str, kind: int, dims: list) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, dims)

    graph.input.extend([
        value("confidence", TensorProto.FLOAT, [1]), value("iou", TensorProto.FLOAT, [1]), value("max_detections", TensorProto.INT64, [1]),
        value("class_offset", TensorProto.FLOAT, [4]), value("extra_rois", TensorProto.FLOAT, ["extra", 4]), value("extra_batch", TensorProto.INT64, ["extra"]),
    ])
    del graph.output[:]
    graph.output.extend([
        value("boxes", TensorProto.FLOAT, ["found", 4]), value("scores", TensorProto.FLOAT, ["found"]), value("classes", TensorProto.INT64, ["found"]),
        value("batch", TensorProto.INT64, ["all"]), value("raw", TensorProto.FLOAT, ["all", detector.raw_dim]),
    ])


def _read_boxes(build: _Builder, detector: TappedDetector) -> tuple[str, str, str]:
    """Returns boxes [b, n, 4], best score and its class [b, 1, n] of every anchor."""
    rows = build.node("Transpose", [EVERY_BOX], perm=[0, 2, 1]) if detector.is_end_to_end else DETECTIONS

    def part(start: int, end: int) -> str:
        return build.node("Slice", [rows, build.ints([start]), build.ints([end]), build.ints([1])])

    boxes = build.node("Transpose", [part(0, 4)], perm=[0, 2, 1])
    score, class_id = build.nodes("TopK", [part(4, 4 + detector.head.nc), build.ints([1])], 2, axis=1)
    return boxes, score, class_id


def _suppress(build: _Builder, boxes: str, score: str, class_id: str, corners: bool) -> tuple[str, str]:
    class_column = build.node("Cast", [build.node("Transpose", [class_id], perm=[0, 2, 1])], to=TensorProto.FLOAT)
    offset = build.node("Gather", ["class_offset", build.ints([0, 1, 0, 1])]) if corners else "class_offset"
    apart = build.node("Add", [boxes, build.node("Mul", [class_column, offset])])
    chosen = build.node("NonMaxSuppression", [apart, score, "max_detections", "iou", "confidence"], center_point_box=0 if corners else 1)
    # [n, 3]: picture, 0, anchor.
    build.node("GatherND", [score, chosen], "scores")
    build.node("GatherND", [class_id, chosen], "classes")
    kept = build.node("GatherND", [boxes, build.node("Gather", [chosen, build.ints([0, 2])], axis=1)])
    first, second = (build.node("Gather", [kept, build.ints([start, start + 1])], axis=1) for start in (0, 2))
    if not corners:
        half = build.node("Mul", [second, build.floats([0.5])])
        first, second = build.node("Sub", [first, half]), build.node("Add", [first, half])
    build.node("Concat", [first, second], "boxes", axis=1)
    rois = build.node("Concat", ["boxes", "extra_rois"], axis=0)
    build.node("Concat", [build.node("Gather", [chosen, build.scalar(0)], axis=1), "extra_batch"], "batch", axis=0)
    return rois, "batch"


def _pool(build: _Builder, feature_map: str, stride: int, rois: str, batch: str) -> str:
    positive = build.node("Add", [build.node("Relu", [feature_map]), build.floats([pooling.EPSILON])])
    cubed = build.node("Mul", [positive, build.node("Mul", [positive, positive])])
    pooled = build.node(
        "RoiAlign", [cubed, rois, batch], mode="avg", output_height=pooling.GRID, output_width=pooling.GRID,
        sampling_ratio=pooling.SAMPLING_RATIO, spatial_scale=1 / stride, coordinate_transformation_mode="half_pixel",
    )
    mean = build.node("Pow", [pooled, build.floats([1 / pooling.POWER])])
    return build.node("LpNormalization", [build.node("Flatten", [mean], axis=1)], axis=1, p=2)


def _describe(model: onnx.ModelProto, yolo: YOLO, size: int) -> None:
    """Writes the metadata of Ultralytics' exports, and the source of the boxes."""
    helper.set_model_props(model, {
        "description": "Ultralytics detector with object vectors (ultralytics-embed)",
        "license": "AGPL-3.0 License (https://ultralytics.com/license)",
        "task": "detect", "stride": str(int(max(yolo.model.stride))), "imgsz": str([size, size]), "names": str(dict(yolo.names)),
        "likeness_detections": DETECTIONS,
    })


class _Builder:
    """Appends nodes and constants to a graph."""

    def __init__(self, graph: onnx.GraphProto):
        self.graph = graph
        self.made = 0

    def nodes(self, kind: str, inputs: list[str], outputs: int, **attributes) -> list[str]:
        names = [self._fresh(kind) for _ in range(outputs)]
        self.graph.node.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def node(self, kind: str, inputs: list[str], output: str | None = None, **attributes) -> str:
        name = output or self._fresh(kind)
        self.graph.node.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def floats(self, values: list[float]) -> str:
        return self._constant(TensorProto.FLOAT, [len(values)], values)

    def ints(self, values: list[int]) -> str:
        return self._constant(TensorProto.INT64, [len(values)], values)

    def scalar(self, value: int) -> str:
        return self._constant(TensorProto.INT64, [], [value])

    def _constant(self, kind: int, dims: list[int], values: list) -> str:
        name = self._fresh("constant")
        self.graph.initializer.append(helper.make_tensor(name, kind, dims, values))
        return name

    def _fresh(self, hint: str) -> str:
        self.made += 1
        return f"likeness_{hint}_{self.made}"
