"""Measures R@1 of a network and a profile on labelled sets, quickly: python judge.py --model
EXPORT|CHECKPOINT --profile FILE DIR... (the server's own measure is `likeness eval`)."""
import argparse
import csv
import json
import pathlib

import cv2
import numpy as np
import torch
import torchvision

from learn_profile import load_model
from network import pooled
from pooling import load_profile, pool, project

SIDE, PAD = 416, 114
CONFIDENCE, IOU, MOST = 0.25, 0.6, 5


def letterbox(picture):
    """Returns RGB f32 [3, side, side], and the box of the picture inside."""
    height, width = picture.shape[:2]
    scale = min(SIDE / height, SIDE / width)
    new = round(width * scale), round(height * scale)
    left, top = (SIDE - new[0]) // 2, (SIDE - new[1]) // 2
    canvas = np.full((SIDE, SIDE, 3), PAD, np.uint8)
    canvas[top : top + new[1], left : left + new[0]] = cv2.resize(picture, new, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return canvas[..., ::-1].transpose(2, 0, 1).astype(np.float32) / 255, (left, top, left + new[0], top + new[1])


def own_boxes(network, maps):
    """Yields at most five boxes of each picture, of any class."""
    for rows in network.boxes(*maps).transpose(1, 2):
        scores = rows[:, 4:].amax(1)
        rows, scores = rows[scores > CONFIDENCE], scores[scores > CONFIDENCE]
        boxes = torch.cat((rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2), 1)
        yield boxes[torchvision.ops.nms(boxes, scores, IOU)[:MOST]]


@torch.inference_mode()
def vectors_of(network, pictures):
    """Yields [n, raw] for each picture: of the whole, then of the detected boxes."""
    for start in range(0, len(pictures), 8):
        made = [letterbox(picture) for picture in pictures[start : start + 8]]
        pixels = torch.from_numpy(np.stack([pixels for pixels, _ in made])).to(memory_format=torch.channels_last)
        maps = network.maps(pixels)
        boxes = list(own_boxes(network, maps))
        rois = [torch.cat((torch.tensor([whole], dtype=torch.float32), own)) for (_, whole), own in zip(made, boxes)]
        rows = torch.cat([torch.cat((torch.full((len(own), 1), float(n)), own), 1) for n, own in enumerate(rois)])
        raw = pool(pooled(*maps[:2], network.trunk(pixels)), rows)
        yield from raw.split([len(own) for own in rois])


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


def raw_of(network, folder, role):
    pictures, labels = read_set(folder, role)
    return list(vectors_of(network, pictures)), labels


def projected(raw, profile):
    return torch.nn.functional.normalize(raw) if profile is None else project(raw, profile)


def recall(gallery, queries, profile):
    """Returns R@1 by the whole picture alone, and with the best of the whole and the detected
    boxes."""
    whole = projected(torch.cat([rows[:1] for rows in gallery[0]]), profile)
    every = projected(torch.cat(gallery[0]), profile)
    owners = [label for rows, label in zip(*gallery) for _ in rows]
    right = [0, 0]
    for rows, label in zip(*queries):
        asked = projected(rows, profile)
        right[0] += gallery[1][int((asked[0] @ whole.T).argmax())] == label
        right[1] += owners[int((asked @ every.T).amax(0).argmax())] == label
    return [round(one / len(queries[1]), 4) for one in right]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--profile", action="append", default=[])
    parser.add_argument("--gallery", default="gallery", help="role: gallery or gallery_iconic")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network = load_model(options.model)
    for folder in options.folders:
        gallery, queries = raw_of(network, folder, options.gallery), raw_of(network, folder, "query")
        for file in [None, *options.profile]:
            whole, best = recall(gallery, queries, load_profile(file) if file else None)
            print(json.dumps({"set": folder.name, "profile": file or "none", "wholeR1": whole, "bestR1": best, "queries": len(queries[1])}), flush=True)


if __name__ == "__main__":
    main()
