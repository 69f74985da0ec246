"""Writes a checkpoint as an export in the Ultralytics v8 layout: python export.py --model
CHECKPOINT --out FILE.onnx --version 0.3.0"""
import argparse
import json

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from kinds import padding_of
from learn_profile import load_model
from network import CLASSES
from pooling import TRUNK_WEIGHT

MOST_BYTES = 20_000_000
MOST_EDGES, MOST_SCORES, LEAST_LIKENESS, LEAST_SCORE = 1.0, 0.01, 0.9999, 0.1


# Maps that vectors are pooled from, beside the backbone's two.
DECLARED = [{"tensor": "semantic", "grid": 1, "weight": TRUNK_WEIGHT}, {"tensor": "kinds", "grid": 1, "part": "kind", "pool": "mean"}]


def write(network, file, version):
    maps = ("semantic", "kinds")
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}, **{name: {0: "batch", 2: f"{name} rows", 3: f"{name} columns"} for name in maps}}
    torch.onnx.export(network, (torch.zeros(1, 3, 416, 416),), file, opset_version=17, input_names=["images"], output_names=["output0", *maps], dynamic_axes=axes, dynamo=False)
    model = onnx.load(file)
    merge_pads(model.graph)
    halve(model.graph)
    told = {
        "description": "Likeness nano detector", "author": "Likeness", "version": version, "task": "detect", "stride": "32", "batch": "1", "imgsz": "[416, 416]",
        "names": repr(dict(enumerate(CLASSES))), "license": "Apache-2.0", "likeness_maps": json.dumps(DECLARED)
    }
    helper.set_model_props(model, told)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def merge_pads(graph):
    """Gives the rows that a Pad adds (see kinds.Conv) to the convolution behind it."""
    pads = {node.output[0]: node for node in graph.node if node.op_type == "Pad"}
    for node in graph.node:
        if node.op_type == "Conv" and node.input[0] in pads:
            told = {one.name: one.ints for one in node.attribute}
            before, after = padding_of(told["kernel_shape"][0], told["strides"][0])
            told["pads"][:] = [before, before, after, after]
            node.input[0] = pads[node.input[0]].input[0]
    used = {name for node in graph.node for name in node.input} | {one.name for one in graph.output}
    kept = list(graph.node)
    while unused := [node for node in kept if not used.intersection(node.output)]:
        kept = [node for node in kept if node not in unused]
        used = {name for node in kept for name in node.input} | {one.name for one in graph.output}
    del graph.node[:]
    graph.node.extend(kept)


def halve(graph):
    """Stores weights as float16, which halves the file. A Cast in front of each makes the weights
    float32 again when the file is loaded."""
    casts = []
    for one in graph.initializer:
        values = numpy_helper.to_array(one)
        if values.dtype == np.float32 and values.ndim == 4:
            name = one.name
            one.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def check(network, file):
    """Checks that the export gives the network's result, except the rounding of the weights. Batch,
    height and width differ from those of the trace."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for shape in ((1, 3, 416, 416), (3, 3, 224, 320)):
        pixels = np.random.default_rng(1).random(shape, np.float32)
        with torch.inference_mode():
            boxes, *maps = (one.numpy() for one in network(torch.from_numpy(pixels)))
        given = session.run(None, {"images": pixels})
        if [one.shape for one in given] != [one.shape for one in (boxes, *maps)]:
            raise ValueError(f"{file}: the export has other shapes than the network at {shape}")
        away = np.abs(given[0] - boxes)
        # Rounded weights move the boxes of cells that see nothing by some pixels.
        edges, scores = (away[:, :4].max(1) * (boxes[:, 4:].max(1) > LEAST_SCORE)).max(), away[:, 4:].max()
        likeness = min((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other) for one, other in zip(given[1:], maps))
        if edges > MOST_EDGES or scores > MOST_SCORES or likeness < LEAST_LIKENESS:
            raise ValueError(f"{file}: the export differs from the network at {shape}: {edges:.3f} pixels, scores {scores:.4f}, cosine {likeness:.6f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="export or checkpoint")
    parser.add_argument("--items", help="checkpoint of --learn boxes, where --model is one of --learn vectors")
    parser.add_argument("--out", required=True)
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    network = load_model(options.model, options.items)
    write(network, options.out, options.version)
    check(network, options.out)
    size = len(open(options.out, "rb").read())
    if size > MOST_BYTES:
        raise ValueError(f"{options.out} has {size} bytes, at most {MOST_BYTES}")
    print(f"{options.out}: {size} bytes")


if __name__ == "__main__":
    main()
