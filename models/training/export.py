"""Writes a checkpoint as an export in the Ultralytics v8 layout: python export.py --model CHECKPOINT --out FILE.onnx --version 0.2.0"""
import argparse

import numpy as np
import onnx
import onnxruntime
import torch

from learn_profile import load_model
from network import CLASSES

MOST_BYTES = 12_000_000


def write(network, file, version):
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}}
    torch.onnx.export(network, (torch.zeros(1, 3, 416, 416),), file, opset_version=17, input_names=["images"], output_names=["output0"], dynamic_axes=axes, dynamo=False)
    model = onnx.load(file)
    told = {
        "description": "Likeness nano detector", "author": "Likeness", "version": version, "task": "detect", "stride": "32", "batch": "1", "imgsz": "[416, 416]",
        "names": repr(dict(enumerate(CLASSES))), "license": "Apache-2.0"
    }
    onnx.helper.set_model_props(model, told)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def check(network, file):
    """The export gives what the network gives, at another batch, height and width than it was traced with."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for shape in ((1, 3, 416, 416), (3, 3, 224, 320)):
        pixels = np.random.default_rng(1).random(shape, np.float32)
        with torch.inference_mode():
            wanted = network(torch.from_numpy(pixels)).numpy()
        given = session.run(None, {"images": pixels})[0]
        if given.shape != wanted.shape or np.abs(given - wanted).max() > 0.01:
            raise ValueError(f"{file}: the export differs from the network at {shape}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    network = load_model(options.model)
    write(network, options.out, options.version)
    check(network, options.out)
    size = len(open(options.out, "rb").read())
    if size > MOST_BYTES:
        raise ValueError(f"{options.out} has {size} bytes, at most {MOST_BYTES}")
    print(f"{options.out}: {size} bytes")


if __name__ == "__main__":
    main()
