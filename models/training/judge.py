"""Measures R@1 of an export and a profile on labelled sets, quickly: python judge.py --model EXPORT
--profile FILE --part instance=256 --part kind=256 DIR... (the server's own measure is `likeness eval`).
Galleries hold whole pictures, queries are the whole picture and its boxes."""
import argparse
import csv
import json
import pathlib

import cv2
import numpy as np
import torch
import torchvision

from exported import Exported
from pooling import load_profile, parts_of, project

SIDE, PAD = 416, 114
CONFIDENCE, IOU, MOST = 0.25, 0.6, 5


def letterbox(picture):
    """Returns RGB f32 [3, side, side], and the box of the picture inside."""
    height, width = picture.shape[:2]
    scale = min(SIDE / height, SIDE / width)
    new = round(width * scale), round(height * scale)
    left, top = (SIDE - new[0]) // 2, (SIDE - new[1]) // 2
    canvas = np.full((SIDE, SIDE, 3), PAD, np.float32)
    # Of floats: the server does not round the resized picture either.
    canvas[top : top + new[1], left : left + new[0]] = cv2.resize(picture.astype(np.float32), new, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return canvas[..., ::-1].transpose(2, 0, 1) / 255, (left, top, left + new[0], top + new[1])


def own_boxes(rows):
    """Returns at most five boxes [n, 4], of any class. `rows` [cells, 4 + classes]."""
    scores = rows[:, 4:].amax(1)
    rows, scores = rows[scores > CONFIDENCE], scores[scores > CONFIDENCE]
    boxes = torch.cat((rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2), 1)
    return boxes[torchvision.ops.nms(boxes, scores, IOU)[:MOST]]


def vectors_of(model, pictures, with_boxes):
    """Yields [n, raw] for each picture: of the whole, then of the detected boxes."""
    for picture in pictures:
        pixels, whole = letterbox(picture)
        seen = model.run(pixels[None])
        rois = torch.tensor([whole], dtype=torch.float32)
        if with_boxes:
            rois = torch.cat((rois, own_boxes(torch.from_numpy(seen["output0"][0].T))))
        yield model.raw(pixels[None], seen, torch.cat((torch.zeros(len(rois), 1), rois), 1))


def read_set(folder, role):
    pictures, labels = [], []
    for row in csv.DictReader((folder / "labels.csv").open()):
        if row["role"] != role or row["label"] == "none":
            continue
        picture = cv2.imread(str(folder / row["path"]))
        if role != "query" and row["bbox_xyxy"]:
            x0, y0, x1, y1 = (int(float(v)) for v in row["bbox_xyxy"].split("|"))
            picture = picture[y0:y1, x0:x1]
        if picture.size == 0:
            print(f"{row['path']}: a box without pixels is left out", flush=True)
            continue
        pictures.append(picture)
        labels.append(row["label"])
    return pictures, labels


def raw_of(model, folder, role):
    pictures, labels = read_set(folder, role)
    return list(vectors_of(model, pictures, role == "query")), labels


def recall(gallery, queries, profile, weights):
    """Returns R@1 by the whole picture alone, and with the best of the whole and the detected
    boxes. `weights`: of each part."""
    sections = torch.cat([torch.full((len(bias),), weight) for (*_, bias), weight in zip(profile, weights)])
    whole = project(torch.cat(gallery[0]), profile) * sections
    right = [0, 0]
    for rows, label in zip(*queries):
        scores = project(rows, profile) @ whole.T
        for n, found in enumerate((scores[0], scores.amax(0))):
            right[n] += gallery[1][int(found.argmax())] in label.split("|")
    return [round(one / len(queries[1]), 4) for one in right]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--part", action="append", default=[], help="NAME=DIM[:WEIGHT] of each part of the profile")
    parser.add_argument("--weight", action="append", type=float, help="of the second part, instead of its own; several are tried")
    parser.add_argument("--gallery", default="gallery", help="role: gallery or gallery_iconic")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = Exported(options.model, SIDE, options.threads)
    parts = parts_of(options.part, model.ranges())
    profile = load_profile(options.profile, parts[-1]["raw"][1], parts)
    for folder in options.folders:
        gallery, queries = raw_of(model, folder, options.gallery), raw_of(model, folder, "query")
        for weight in options.weight or [parts[-1]["weight"]]:
            weights = [*(part["weight"] for part in parts[:-1]), weight]
            whole, best = recall(gallery, queries, profile, weights)
            print(json.dumps({"set": folder.name, "weights": weights, "wholeR1": whole, "bestR1": best, "queries": len(queries[1])}), flush=True)


if __name__ == "__main__":
    main()
