"""Puts a trained model into a model folder: python ship.py --model FILE.onnx --profile FILE.f32 --into ../likeness-nano --version 0.2.0. Writes the sums into manifest.json and what a right implementation gives into parity.json."""
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
from network import CLASSES, load_export
from pooling import load_profile, pool

AT16 = 64 * 9


@torch.inference_mode()
def parity_of(network, profile, picture):
    pixels, whole = letterbox(picture)
    maps = network.maps(torch.from_numpy(pixels)[None])
    found = torch.cat([network.boxes_of(head, *one) for head, one in zip(network.heads, network.detect(*maps))], 2)[0].T
    scores, kinds = found[:, 4:].max(1)
    boxes = torch.cat((found[:, :2] - found[:, 2:4] / 2, found[:, :2] + found[:, 2:4] / 2), 1)
    sure = (scores > CONFIDENCE).nonzero()[:, 0]
    kept = sure[torchvision.ops.nms(boxes[sure], scores[sure], IOU)[:MOST]]
    rois = torch.cat((boxes[kept], torch.tensor([whole], dtype=torch.float32)))
    raw = pool([(maps[0], 8), (maps[1], 16)], torch.cat((torch.zeros(len(rois), 1), rois), 1))
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
    manifest["profile"]["sha256"] = sum_of(profile)
    listed.write_text(json.dumps(manifest, indent=1) + "\n")
    picture = cv2.imread(str(options.into / "parity.png"))
    parity = parity_of(load_export(model).eval(), load_profile(profile), picture)
    told = options.into / "parity.json"
    told.write_text(json.dumps({**json.loads(told.read_text()), **parity}) + "\n")


if __name__ == "__main__":
    main()
