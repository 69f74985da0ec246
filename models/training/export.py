"""Writes a checkpoint as an export in the Ultralytics v8 layout: python export.py --model
CHECKPOINT --out FILE.onnx --version 0.2.0"""
import argparse
import json

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from learn_profile import load_model
from network import CLASSES, TRUNK_WEIGHT

MOST_BYTES = 12_000_000
MOST_EDGES, MOST_SCORES, LEAST_LIKENESS = 1.0, 0.01, 0.9999


def write(network, file, version):
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}, "semantic": {0: "batch", 2: "rows", 3: "columns"}}
    torch.onnx.export(network, (torch.zeros(1, 3, 416, 416),), file, opset_version=17, input_names=["images"], output_names=["output0", "semantic"], dynamic_axes=axes, dynamo=False)
    model = onnx.load(file)
    halve(model.graph)
    told = {
        "description": "Likeness nano detector", "author": "Likeness", "version": version, "task": "detect", "stride": "32", "batch": "1", "imgsz": "[416, 416]",
        "names": repr(dict(enumerate(CLASSES))), "license": "Apache-2.0",
        "likeness_maps": json.dumps([{"tensor": "semantic", "grid": 1, "weight": TRUNK_WEIGHT}])
    }
    helper.set_model_props(model, told)
    onnx.checker.check_model(model)
    onnx.save(model, file)


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
            boxes, semantic = (one.numpy() for one in network(torch.from_numpy(pixels)))
        given = session.run(None, {"images": pixels})
        if given[0].shape != boxes.shape or given[1].shape != semantic.shape:
            raise ValueError(f"{file}: the export has other shapes than the network at {shape}")
        edges, scores = np.abs(given[0] - boxes)[:, :4].max(), np.abs(given[0] - boxes)[:, 4:].max()
        likeness = (given[1] * semantic).sum() / np.linalg.norm(given[1]) / np.linalg.norm(semantic)
        if edges > MOST_EDGES or scores > MOST_SCORES or likeness < LEAST_LIKENESS:
            raise ValueError(f"{file}: the export differs from the network at {shape}: {edges:.3f} pixels, scores {scores:.4f}, cosine {likeness:.6f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="export or checkpoint")
    parser.add_argument("--boxes", help="checkpoint of --learn boxes, where --model is one of --learn vectors")
    parser.add_argument("--out", required=True)
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    network = load_model(options.model, options.boxes)
    write(network, options.out, options.version)
    check(network, options.out)
    size = len(open(options.out, "rb").read())
    if size > MOST_BYTES:
        raise ValueError(f"{options.out} has {size} bytes, at most {MOST_BYTES}")
    print(f"{options.out}: {size} bytes")


if __name__ == "__main__":
    main()
