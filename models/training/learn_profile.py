"""Learns the projections of an export: python learn_profile.py --model EXPORT --photos .. --cache ..
--out general.profile.f32. Prints the options --part for ship.py."""
import argparse
import pathlib

import cv2
import numpy as np
import torch

from compose import make_half, pick_things
from exported import Exported
from sources import Crop, Sources

# Fraction of the mean eigenvalue of the scatter within identities.
REGULARISATION = 0.1
DIMS = {"instance": 256, "kind": 256}
# Part of the mean that is taken off vectors of kinds. R@1 of the labelled sets is the same within
# two queries for 0, half and all of it; kinds of things gain by more, photographs of goods by less.
CENTRED = 0.5
# How far directions of kinds that vary much are shortened: the exponent of their variance. 0 leaves
# them as they are, 0.5 makes all equal. Between 0.25 and 0.5 the labelled sets are within two queries.
EVENED = 0.4
VIEWS = 4
SIZES = (288, 352, 416, 416)


def collect(model, sources, chunks, seed):
    """Returns raw vectors [n, dims], their identities [n], and which are of photographs [n]: each
    identity of a chunk in VIEWS views."""
    vectors, numbers = [], []
    for chunk in range(chunks):
        random = np.random.default_rng((seed, chunk))
        things = pick_things(sources, random)
        for view in range(VIEWS):
            for picture in make_half(sources, things, view, int(random.choice(SIZES)), random):
                if not picture.rois:
                    continue
                pixels = np.ascontiguousarray(picture.pixels[None, ..., ::-1].transpose(0, 3, 1, 2), np.float32) / 255
                rois = torch.tensor([(0, *roi[1:]) for roi in picture.rois], dtype=torch.float32)
                vectors.append(model.raw(pixels, model.run(pixels), rois).numpy().astype(np.float16))
                numbers.extend(roi[0] for roi in picture.rois)
        if chunk % 10 == 9:
            print(f"views {chunk + 1}/{chunks}", flush=True)
    of_photographs = np.array([isinstance(sources.things[number], Crop) for number in numbers])
    return np.concatenate(vectors), np.array(numbers), of_photographs


def learn(vectors, numbers, dims, regularisation=REGULARISATION):
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


def learn_kinds(vectors, dims, centred=CENTRED, evened=EVENED):
    """Keeps the directions in which kinds vary most, the strongest ones shortened: else a few of them
    (outdoors or not, one thing or many) decide the score."""
    vectors = vectors.astype(np.float64)
    mean = vectors.mean(0)
    left = vectors - centred * mean
    values, kept = np.linalg.eigh(left.T @ left / len(left))
    shortened = (values[::-1][:dims].clip(0) + 0.01 * values.mean()) ** -evened
    matrix = kept[:, ::-1][:, :dims].T * shortened[:, None]
    return matrix.astype(np.float32), (-matrix @ (centred * mean)).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="export")
    parser.add_argument("--photos", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--chunks", type=int, default=60, help="of 55 identities")
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    model = Exported(options.model, 416, options.threads)
    vectors, numbers, of_photographs = collect(model, Sources(options.photos, options.cache), options.chunks, options.seed)
    with pathlib.Path(options.out).open("wb") as file:
        for name, (start, end) in model.ranges().items():
            part = vectors[:, start:end]
            learned = learn_kinds(part[of_photographs], DIMS[name]) if name == "kind" else learn(part, numbers, DIMS[name])
            for values in learned:
                file.write(values.astype("<f4").tobytes())
            print(f"--part {name}={DIMS[name]}")
    print(f"{len(vectors)} vectors of {len(np.unique(numbers))} identities")


if __name__ == "__main__":
    main()
