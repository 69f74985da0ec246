"""Learns the projection of a network: python learn_profile.py --model EXPORT|CHECKPOINT --photos ..
--cache .. --out general.profile.f32"""
import argparse
import pathlib

import cv2
import numpy as np
import torch

from compose import make_half, pick_things
from network import PARTS, Network, load_export
from pooling import pool
from sources import Sources

# Fraction of the mean eigenvalue of the scatter within identities.
REGULARISATION = 0.1
DIMS = 512
VIEWS = 4
SIZES = (288, 352, 416)


def load_model(file, items=None):
    """Loads an export, or the running mean of a checkpoint's weights. `items`: another checkpoint,
    which supplies the heads that draw boxes."""
    if str(file).endswith(".onnx"):
        return load_export(file).eval()
    mean = mean_of(file)
    if items is not None:
        mean.update({name: value for name, value in mean_of(items).items() if name.startswith(PARTS["boxes"])})
    network = Network()
    network.load_state_dict(mean)
    return network.eval()


def mean_of(file):
    return torch.load(file, map_location="cpu", weights_only=True)["mean"]


@torch.inference_mode()
def collect(network, sources, chunks, seed, device="cpu"):
    """Returns raw vectors [n, dims] and their identities [n]: each identity of a chunk in VIEWS
    views."""
    network = network.to(device, memory_format=torch.channels_last)
    vectors, numbers = [], []
    for chunk in range(chunks):
        random = np.random.default_rng((seed, chunk))
        things = pick_things(sources, random)
        for view in range(VIEWS):
            pictures = make_half(sources, things, view, int(random.choice(SIZES)), random)
            pixels = torch.from_numpy(np.stack([picture.pixels for picture in pictures])[..., ::-1].copy()).to(device)
            rois = np.array([(n, *roi[1:]) for n, picture in enumerate(pictures) for roi in picture.rois], np.float32)
            with torch.autocast(device, dtype=torch.bfloat16):
                maps = network.pooled_maps((pixels.permute(0, 3, 1, 2).float() / 255).to(memory_format=torch.channels_last))
            vectors.append(pool(maps, torch.from_numpy(rois).to(device)).cpu().numpy())
            numbers.append(np.array([roi[0] for picture in pictures for roi in picture.rois]))
        if chunk % 10 == 9:
            print(f"views {chunk + 1}/{chunks}", flush=True)
    return np.concatenate(vectors), np.concatenate(numbers)


def learn(vectors, numbers, dims=DIMS, regularisation=REGULARISATION):
    """Whitens the variation between views of the same thing, then keeps the directions in which all
    vary most: matrix [dims, raw] and bias [dims]."""
    vectors = vectors.astype(np.float64)
    _, place, count = np.unique(numbers, return_inverse=True, return_counts=True)
    means = np.zeros((len(count), vectors.shape[1]))
    np.add.at(means, place, vectors)
    within = vectors - (means / count[:, None])[place]
    within = within[count[place] > 1]
    values, directions = np.linalg.eigh(within.T @ within / len(within))
    whitening = directions.T / np.sqrt(values.clip(0) + regularisation * values.mean())[:, None]
    mean = vectors.mean(0)
    whitened = (vectors - mean) @ whitening.T
    _, kept = np.linalg.eigh(whitened.T @ whitened / len(whitened))
    matrix = kept[:, ::-1][:, :dims].T @ whitening
    return matrix.astype(np.float32), (-matrix @ mean).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="export or checkpoint")
    parser.add_argument("--boxes", help="checkpoint of --learn boxes, where --model is one of --learn vectors")
    parser.add_argument("--photos", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--chunks", type=int, default=120, help="of 55 identities")
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    vectors, numbers = collect(load_model(options.model, options.boxes), Sources(options.photos, options.cache), options.chunks, options.seed, device)
    matrix, bias = learn(vectors, numbers)
    pathlib.Path(options.out).write_bytes(matrix.astype("<f4").tobytes() + bias.astype("<f4").tobytes())
    print(f"{len(vectors)} vectors of {len(np.unique(numbers))} identities")


if __name__ == "__main__":
    main()
