"""Puts a trained model into a model folder: python ship.py --model FILE.onnx --profile FILE.f32
--into ../likeness-nano --version 0.3.0 --part instance=256 --part kind=256. Writes the sums into
manifest.json and the expected results of a correct implementation into parity.json."""
import argparse
import hashlib
import json
import pathlib
import shutil

import cv2
import numpy as np
import torch
import torchvision

from exported import BACKBONE, Exported
from judge import SIDE, letterbox
from pooling import load_profile, parts_of, project

OF_BACKBONE = (
    "y = RoiAlign(avg, 3x3, sampling_ratio 2, half_pixel, (relu(x) + 0.001)^3)^(1/3), "
    "flattened channel-major [C,3,3], each map L2-normalised, then concatenated: stride 8 first"
)
OF_DECLARED = (
    "y = RoiAlign(avg, grid x grid, 6 / grid samples a side of a cell, half_pixel, (relu(x) + 0.001)^3)^(1/3), "
    "flattened channel-major [C, grid, grid], each map L2-normalised and times its weight where it has one, then concatenated in the order of maps"
)
WITH_MEAN = f"{OF_DECLARED}; of a map with the pool mean, y = RoiAlign(avg, ..., x)"
OF_CROPS = "of a map with crop, y = the same mean over all cells of the map of RoiAlign(avg, crop x crop, sampling_ratio 1, half_pixel, picture)"
LAYOUT = "ultralytics-v8: output0 [batch, 4 + classes, anchors], xywh in input pixels, class scores after sigmoid, no objectness"


def pool_text(maps):
    """Returns the wording of packages/vision/src/onnx/pooling.ts."""
    text = WITH_MEAN if any(one.get("pool") == "mean" for one in maps) else OF_DECLARED
    if any("crop" in one for one in maps):
        return f"{text}; {OF_CROPS}"
    if text == WITH_MEAN:
        return text
    return OF_BACKBONE if [(one["stride"], one["grid"], "weight" in one) for one in maps] == [(stride, 3, False) for stride in BACKBONE] else OF_DECLARED


def parity_of(model, profile, picture, detection):
    """`detection`: the settings of a manifest."""
    pixels, whole = letterbox(picture)
    seen = model.run(pixels[None])
    found = torch.from_numpy(seen["output0"])[0].T
    scores, kinds = found[:, 4:].max(1)
    boxes = torch.cat((found[:, :2] - found[:, 2:4] / 2, found[:, :2] + found[:, 2:4] / 2), 1)
    sure = (scores > detection["confidence"]).nonzero()[:, 0]
    kept = sure[torchvision.ops.nms(boxes[sure], scores[sure], detection["iou"])[: detection["maxDetections"]]]
    rois = torch.cat((boxes[kept], torch.tensor([whole], dtype=torch.float32)))
    raw = model.raw(pixels[None], seen, torch.cat((torch.zeros(len(rois), 1), rois), 1))
    vectors = project(raw, profile)
    rounded = lambda values, digits: np.round(values.numpy().astype(float), digits).tolist()
    return {
        "size": SIDE,
        "letterbox": {"scale": round(min(SIDE / v for v in picture.shape[:2]), 6), "left": whole[0], "top": whole[1]},
        "boxes": [{"xyxy": rounded(boxes[i], 2), "score": round(float(scores[i]), 4), "cls": model.classes[int(kinds[i])]} for i in kept],
        "rois": rounded(rois, 3),
        "raw_first8": [rounded(raw[:, start : start + 8], 5) for start in starts(model.maps())],
        "vectors": rounded(vectors, 5)
    }


def starts(maps):
    """Returns the first number of each map in a raw vector."""
    return np.cumsum([0, *(one["channels"] * one["grid"] ** 2 for one in maps)]).tolist()[:-1]


def sum_of(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--profile", required=True, type=pathlib.Path)
    parser.add_argument("--into", required=True, type=pathlib.Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--part", action="append", default=[], help="NAME=DIM[:WEIGHT] of a part that the profile projects by itself; none: one part over all")
    options = parser.parse_args()
    listed = options.into / "manifest.json"
    manifest = json.loads(listed.read_text())
    target, profile = options.into / manifest["file"], options.into / manifest["profile"]["file"]
    for source, place in ((options.model, target), (options.profile, profile)):
        if source.resolve() != place.resolve():
            shutil.copyfile(source, place)
    model = Exported(target, SIDE)
    maps = model.maps()
    dim = sum(one["channels"] * one["grid"] ** 2 for one in maps)
    parts = parts_of(options.part, model.ranges())
    matrices = load_profile(profile, dim, parts)
    shapes = "; ".join(f"{one['tensor']} [batch, {one['channels']}, height / {one['stride']:g}, width / {one['stride']:g}]" for one in model.taps if one["tensor"] in {map["tensor"] for map in model.declared})
    manifest.update(version=options.version, sha256=sum_of(target), sizeBytes=target.stat().st_size, classes=model.classes, layout="; ".join(filter(None, (LAYOUT, shapes))))
    manifest["raw"] = {"dim": dim, "maps": maps, "pool": pool_text(maps)}
    manifest["profile"] = {
        **{key: value for key, value in manifest["profile"].items() if key != "parts"},
        "sha256": sum_of(profile), "dim": sum(len(bias) for *_, bias in matrices), **({"parts": parts} if parts else {}),
        "layout": "little-endian float32: of each part the matrix [its dim, its raw numbers] row-major, then its bias; part = L2(matrix x raw + bias), all divided by the root of their number"
        if parts else f"little-endian float32: matrix [dim, {dim}] row-major, then bias [dim]; vector = L2(matrix x raw + bias)"
    }
    listed.write_text(json.dumps(manifest, indent=1) + "\n")
    parity = parity_of(model, matrices, cv2.imread(str(options.into / "parity.png")), manifest["detection"])
    told = options.into / "parity.json"
    kept = {key: value for key, value in json.loads(told.read_text()).items() if key in ("image", "note")}
    told.write_text(json.dumps({**kept, **parity}) + "\n")


if __name__ == "__main__":
    main()
