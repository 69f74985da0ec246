"""Runs an export as Likeness does: boxes, and the maps that vectors are pooled from."""
import ast
import json

import numpy as np
import onnx
import onnxruntime
import torch

from pooling import pool

# Strides of the backbone's maps, which stand first; 3x3 cells each.
BACKBONE = (8, 16)
PARTS = ("instance", "kind")
THROUGH = ("QuantizeLinear", "DequantizeLinear", "Cast", "Identity")


class Exported:
    """`side`: pixels of the square picture on which the maps are measured."""

    def __init__(self, file, side):
        model = onnx.load(file)
        told = {one.key: one.value for one in model.metadata_props}
        self.classes = list(ast.literal_eval(told["names"]).values())
        self.declared = json.loads(told.get("likeness_maps", "[]"))
        backbone = [] if told.get("likeness_backbone") == "none" else backbone_maps(model.graph)
        there = {one.name for one in model.graph.output}
        for name in dict.fromkeys([*backbone, *(one["tensor"] for one in self.declared)]):
            if name not in there:
                model.graph.output.append(onnx.ValueInfoProto(name=name))
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        seen = self.run(np.zeros((1, 3, side, side), np.float32))
        stride_of = lambda name: side / seen[name].shape[2]
        taps = [{"tensor": name, "grid": 3} for stride in BACKBONE for name in backbone if stride_of(name) == stride]
        taps = sorted([*taps, *self.declared], key=lambda one: PARTS.index(one.get("part", PARTS[0])))
        self.taps = [{**one, "stride": stride_of(one["tensor"]), "channels": seen[one["tensor"]].shape[1]} for one in taps]

    def run(self, pixels):
        """Returns every output by its name."""
        names = [one.name for one in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, {self.session.get_inputs()[0].name: pixels})))

    def raw(self, seen, rois):
        """Returns raw vectors of boxes [n, 5], of the outputs of a run."""
        maps = [(torch.from_numpy(seen[one["tensor"]]), one["stride"], one["grid"], one.get("weight", 1.0), one.get("pool", "gem")) for one in self.taps]
        return pool(maps, rois)

    def maps(self):
        """Returns the maps as a manifest names them."""
        return [
            {
                "stride": int(one["stride"]) if one["stride"] % 1 == 0 else one["stride"], "channels": one["channels"], "grid": one["grid"],
                **({"weight": one["weight"]} if "weight" in one else {}), **{key: one[key] for key in ("part", "pool") if one.get(key) in ("kind", "mean")}
            }
            for one in self.taps
        ]

    def ranges(self):
        """Returns the raw numbers [start, end) of each part that there is."""
        ranges, start = {}, 0
        for one in self.taps:
            part, end = one.get("part", PARTS[0]), start + one["channels"] * one["grid"] ** 2
            ranges[part] = [ranges.get(part, [start])[0], end]
            start = end
        return ranges


def backbone_maps(graph):
    """Returns the tensors that the backbone hands to the top-down path: each Resize there is joined
    with a finer map."""
    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def joined(name):
        for node in readers.get(name, []):
            if node.op_type == "Concat":
                return [one for one in node.input if one != name]
            found = joined(node.output[0]) if node.op_type in THROUGH else []
            if found:
                return found
        return []

    found = [joined(node.output[0]) for node in graph.node if node.op_type in ("Resize", "Upsample")]
    return [others[0] for others in found if len(others) == 1]
