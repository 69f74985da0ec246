"""Puts a trained model into a model folder: python ship.py --model FILE.onnx --profile FILE.f32
--into ../likeness-nano --version 0.2.0. Writes the sums into manifest.json and the expected results
of a correct implementation into parity.json."""
import argparse
import hashlib
import json
import pathlib
import shutil

import cv2
import numpy as np
import torch
import torchvision

from judge import CONFIDENCE, IOU, MOST, SIDE, letterbox
from network import CLASSES, TRUNK_WEIGHT, load_export, pooled
from pooling import load_profile, pool
from trunk import WIDTH

AT16 = 64 * 9
MAPS = [{"stride": 8, "channels": 64, "grid": 3}, {"stride": 16, "channels": 128, "grid": 3}, {"stride": 32, "channels": WIDTH, "grid": 1, "weight": TRUNK_WEIGHT}]
POOL = (
    "y = RoiAlign(avg, grid x grid, 6 / grid samples a side of a cell, half_pixel, (relu(x) + 0.001)^3)^(1/3), "
    "flattened channel-major [C, grid, grid], each map L2-normalised and times its weight where it has one, then concatenated in the order of maps"
)


@torch.inference_mode()
def parity_of(network, profile, picture):
    pixels, whole = letterbox(picture)
    images = torch.from_numpy(pixels)[None]
    maps = network.maps(images)
    found = network.boxes(*maps)[0].T
    scores, kinds = found[:, 4:].max(1)
    boxes = torch.cat((found[:, :2] - found[:, 2:4] / 2, found[:, :2] + found[:, 2:4] / 2), 1)
    sure = (scores > CONFIDENCE).nonzero()[:, 0]
    kept = sure[torchvision.ops.nms(boxes[sure], scores[sure], IOU)[:MOST]]
    rois = torch.cat((boxes[kept], torch.tensor([whole], dtype=torch.float32)))
    raw = pool(pooled(*maps[:2], network.trunk(images)), torch.cat((torch.zeros(len(rois), 1), rois), 1))
    vectors = torch.nn.functional.normalize(raw @ profile[0].T + profile[1])
    rounded = lambda values, digits: np.round(values.numpy().astype(float), digits).tolist()
    return {
        "size": SIDE,
        "letterbox": {"scale": round(min(SIDE / v for v in picture.shape[:2]), 6), "left": whole[0], "top": whole[1]},
        "boxes": [{"xyxy": rounded(boxes[i], 2), "score": round(float(scores[i]), 4), "cls": CLASSES[int(kinds[i])]} for i in kept],
        "rois": rounded(rois, 3), "raw_first8": rounded(raw[:, :8], 5), "raw_stride16_first8": rounded(raw[:, AT16 : AT16 + 8], 5), "vectors": rounded(vectors, 5)
    }


def sum_of(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--profile", required=True, type=pathlib.Path)
    parser.add_argument("--into", required=True, type=pathlib.Path)
    parser.add_argument("--version", required=True)
    options = parser.parse_args()
    listed = options.into / "manifest.json"
    manifest = json.loads(listed.read_text())
    model, profile = options.into / manifest["file"], options.into / manifest["profile"]["file"]
    for source, target in ((options.model, model), (options.profile, profile)):
        if source.resolve() != target.resolve():
            shutil.copyfile(source, target)
    manifest.update(version=options.version, sha256=sum_of(model), sizeBytes=model.stat().st_size)
    dim = sum(one["channels"] * one["grid"] ** 2 for one in MAPS)
    manifest["raw"] = {"dim": dim, "maps": MAPS, "pool": POOL}
    manifest["profile"].update(sha256=sum_of(profile), layout=f"little-endian float32: matrix [dim, {dim}] row-major, then bias [dim]; vector = L2(matrix x raw + bias)")
    manifest["layout"] = "ultralytics-v8: output0 [batch, 4 + classes, anchors], xywh in input pixels, class scores after sigmoid, no objectness; semantic [batch, 576, height / 32, width / 32]"
    listed.write_text(json.dumps(manifest, indent=1) + "\n")
    picture = cv2.imread(str(options.into / "parity.png"))
    parity = parity_of(load_export(model).eval(), load_profile(profile), picture)
    told = options.into / "parity.json"
    told.write_text(json.dumps({**json.loads(told.read_text()), **parity}) + "\n")


if __name__ == "__main__":
    main()
