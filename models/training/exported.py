"""Runs an export as Likeness does: boxes, and the maps that vectors are pooled from."""
import ast
import json

import numpy as np
import onnx
import onnxruntime
import torch

from pooling import crops_of, pool, pool_crops

# Strides of the backbone's maps, which stand first; 3x3 cells each.
BACKBONE = (8, 16)
PARTS = ("cells", "instance", "kind")
USUAL = "instance"
THROUGH = ("QuantizeLinear", "DequantizeLinear", "Cast", "Identity")


class Exported:
    """`side`: pixels of the square picture on which the maps are measured."""

    def __init__(self, file, side, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        model = onnx.load(file)
        told = {one.key: one.value for one in model.metadata_props}
        self.classes = list(ast.literal_eval(told["names"]).values())
        self.declared = json.loads(told.get("likeness_maps", "[]"))
        of_backbone = told.get("likeness_backbone")
        backbone = [] if of_backbone == "none" else backbone_maps(model.graph)
        there = {one.name for one in model.graph.output}
        for name in dict.fromkeys([*backbone, *(one[key] for one in self.declared for key in ("tensor", "crops") if key in one)]):
            if name not in there:
                model.graph.output.append(onnx.ValueInfoProto(name=name))
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        seen = self.run(np.zeros((1, 3, side, side), np.float32))
        stride_of = lambda name: side / seen[name].shape[2]
        kept = {"part": "cells"} if of_backbone == "cells" else {}
        taps = [{"tensor": name, "grid": 3, **kept} for stride in BACKBONE for name in backbone if stride_of(name) == stride]
        taps = sorted([*taps, *self.declared], key=lambda one: PARTS.index(one.get("part", USUAL)))
        self.taps = [{**one, "stride": stride_of(one["tensor"]), "channels": seen[one["tensor"]].shape[1]} for one in taps]
        self.sights = {}
        for one in self.taps:
            if "crops" in one:
                one["crop"] = seen[one["crops"]].shape[2]
                one["stride"] = one["crop"] / seen[one["tensor"]].shape[2]
                self.sights[one["tensor"]] = sight_of(model, one, options)

    def run(self, pixels):
        """Returns every output by its name."""
        names = [one.name for one in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, {self.session.get_inputs()[0].name: pixels})))

    def raw(self, pixels, seen, rois):
        """Returns raw vectors of boxes [n, 5] of pictures `pixels`, whose run gave `seen`."""
        sections = []
        for one in self.taps:
            weight = one.get("weight", 1.0)
            if "crops" in one:
                crops = crops_of(torch.from_numpy(pixels), rois, one["crop"])
                sections.append(pool_crops(torch.from_numpy(self.sights[one["tensor"]].run(None, {one["crops"]: crops.numpy()})[0]), weight))
            else:
                sections.append(pool([(torch.from_numpy(seen[one["tensor"]]), one["stride"], one["grid"], weight, one.get("pool", "gem"))], rois))
        return torch.cat(sections, 1)

    def maps(self):
        """Returns the maps as a manifest names them."""
        return [
            {
                "stride": int(one["stride"]) if one["stride"] % 1 == 0 else one["stride"], "channels": one["channels"], "grid": one["grid"],
                **({"weight": one["weight"]} if "weight" in one else {}), **{key: one[key] for key in ("part", "crop", "pool") if one.get(key) not in (None, USUAL, "gem")}
            }
            for one in self.taps
        ]

    def ranges(self):
        """Returns the raw numbers [start, end) of each part that there is."""
        ranges, start = {}, 0
        for one in self.taps:
            part, end = one.get("part", USUAL), start + one["channels"] * one["grid"] ** 2
            ranges[part] = [ranges.get(part, [start])[0], end]
            start = end
        ranges.pop("cells", None)
        return ranges


def sight_of(model, tap, options):
    """Returns a session from crops [n, 3, side, side] to their maps: the nodes between the two."""
    made = {name: node for node in model.graph.node for name in node.output}
    needed, front = set(), [tap["tensor"]]
    while front:
        name = front.pop()
        if name != tap["crops"] and name in made and id(made[name]) not in needed:
            needed.add(id(made[name]))
            front.extend(made[name].input)
    nodes = [node for node in model.graph.node if id(node) in needed]
    seen = onnx.helper.make_tensor_value_info(tap["crops"], onnx.TensorProto.FLOAT, ["n", 3, "height", "width"])
    graph = onnx.helper.make_graph(nodes, "sight", [seen], [onnx.ValueInfoProto(name=tap["tensor"])], model.graph.initializer)
    part = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    return onnxruntime.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])


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
