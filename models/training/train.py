"""Trains the detector and its vectors with a single command. A restarted run continues from the
last checkpoint: see README.md."""
import argparse
import json
import math
import pathlib
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from compose import make_batch, make_scenes
from losses import contrastive_loss, detection_loss, kind_loss, order_loss, spread_loss
from network import PARTS, load_export, put_together
from pooling import pool
from sources import Sources
from teacher import descriptors
from trunk import WIDTH

TOLD_EVERY = 10
# The trunk for kinds knows kinds: the teacher only keeps this one from forgetting them.
SHARES = {"again": 1.0, "spread": 0.5, "kind": 0.3, "order": 0.15, "boxes": 0.3}
TEMPERATURE = 0.07


class Heads(nn.Module):
    """Heads for the training only: from the raw vector to the space for comparison, and to the
    teacher's descriptor."""

    def __init__(self, raw, taught, width=512):
        super().__init__()
        self.norm = nn.BatchNorm1d(raw, affine=False)
        self.vector, self.kind = nn.Linear(raw, width), nn.Linear(raw, taught)

    def forward(self, raw):
        raw = self.norm(raw)
        return F.normalize(self.vector(raw)), self.kind(raw)


class Mixed(nn.Module):
    """The part in front of the item heads, which stays as it is."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        own, mixed = self.network.mixed(x)
        return *own, *mixed


def run_ahead(network, folder, threads):
    """Returns a function from pixels to the maps (own, mixed), which the runtime computes in a third
    of torch's time on a CPU."""
    import onnxruntime

    file, names = str(folder / "mixed.onnx"), [f"map{n}" for n in range(6)]
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, **{name: {0: "batch", 2: f"{name} rows", 3: f"{name} columns"} for name in names}}
    torch.onnx.export(Mixed(network).eval(), (torch.zeros(1, 3, 64, 64),), file, opset_version=17, input_names=["images"], output_names=names, dynamic_axes=axes, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def run(images):
        maps = [torch.from_numpy(one) for one in session.run(None, {"images": images.numpy()})]
        return maps[:3], maps[3:]

    return run


class Batches(IterableDataset):
    """Yields batches. Batch i is the same for any worker and after any restart."""

    def __init__(self, sources, seed, steps, make):
        self.sources, self.seed, self.make = sources, seed, make
        self.first, self.last = steps

    def __iter__(self):
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        worker = torch.utils.data.get_worker_info()
        start, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for i in range(self.first + start, self.last, step):
            yield [torch.from_numpy(part) for part in self.make(self.sources, (self.seed, i))]


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", required=True, help="folder of photographs: with photos.ndjson, or any pictures")
    parser.add_argument("--cache", required=True, help="marks, drawn things and teacher descriptors")
    parser.add_argument("--out", required=True, help="checkpoints and the log")
    parser.add_argument("--start-from", help="an export of this architecture, such as models/likeness-nano/likeness-nano.onnx")
    parser.add_argument("--yolox", help="without --start-from: YOLOX-nano as published, ONNX")
    parser.add_argument("--kinds", help="without --start-from: EfficientNet-Lite0 as models/embedders/efficientnet_lite.py writes it")
    parser.add_argument("--trunk", help="without --start-from: MobileNetV3-small like --teacher, or an export with a trunk")
    parser.add_argument("--teacher", required=True, help="MobileNetV3-small without its classifier, 576 numbers, as ONNX")
    parser.add_argument("--learn", choices=PARTS, default="vectors")
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--until", type=float, help="end at this time (seconds since 1970): the learning rate follows the clock instead of the steps")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=float, default=240, help="seconds")
    options = parser.parse_args()
    if bool(options.start_from) == all((options.yolox, options.kinds, options.trunk)):
        parser.error("either --start-from EXPORT or all of --yolox, --kinds and --trunk")
    return options


class Run:
    def __init__(self, options, taught):
        self.options = options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = load_export(options.start_from) if options.start_from else put_together(options.yolox, options.kinds, options.trunk)
        self.network = self.network.to(self.device)
        for name, value in self.network.named_parameters():
            value.requires_grad = name.startswith(PARTS[options.learn])
        self.heads = Heads(WIDTH, taught.shape[1]).to(self.device)
        self.mean = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        learned = [value for value in self.network.parameters() if value.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [{"params": [value for value in learned if value.ndim > 1], "weight_decay": 0.01, "scale": 1.0}, {"params": [value for value in learned if value.ndim <= 1], "weight_decay": 0.0, "scale": 1.0},
             {"params": self.heads.parameters(), "weight_decay": 0.0, "scale": 5.0}],
            lr=options.rate, betas=(0.9, 0.98))
        if options.learn == "boxes":
            self.ahead = run_ahead(self.network, pathlib.Path(options.out), options.threads)
        self.taught = torch.from_numpy(taught).to(self.device)
        self.step, self.spent = 0, 0.0
        self.file = pathlib.Path(options.out) / f"{options.learn}.pt"
        if self.file.exists():
            self.load()

    def load(self):
        kept = torch.load(self.file, map_location=self.device, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.heads.load_state_dict(kept["heads"])
        scales = [group["scale"] for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(kept["optimizer"])
        for group, scale in zip(self.optimizer.param_groups, scales):
            group["scale"] = scale
        self.mean, self.step, self.spent = kept["mean"], kept["step"], kept["spent"]

    def save(self):
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        torch.save({"network": self.network.state_dict(), "heads": self.heads.state_dict(), "optimizer": self.optimizer.state_dict(), "mean": self.mean, "step": self.step, "spent": self.spent}, part)
        part.replace(self.file)

    def progress(self, began):
        """Returns 0 to 1, by the clock where the run ends by the clock."""
        if self.options.until is None:
            return min(1.0, self.step / self.options.steps)
        whole = self.options.until - began + self.spent
        return min(1.0, (time.time() - began + self.spent) / max(1.0, whole))

    def learn(self, batch, part):
        pixels, rois, targets, ignored = (one.to(self.device) for one in batch)
        rate = self.options.rate * min(1.0, (self.step + 1) / 60) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * part)))
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        images = pixels.permute(0, 3, 1, 2).float() / 255
        losses, seen = {}, {}
        # Depthwise convolutions take half the time on a CPU in float32 and channels first.
        images = images.contiguous()
        if self.options.learn == "vectors":
            identities = rois[:, 0].long()
            vectors, guessed = self.heads(pool([(self.network.trunk(images), 32, 1, 1.0)], rois[:, 1:]))
            taught = self.taught[identities]
            losses.update(again=contrastive_loss(vectors, identities, TEMPERATURE), spread=spread_loss(vectors, identities), kind=kind_loss(guessed, taught), order=order_loss(vectors, taught, identities))
            found_again = (vectors @ vectors.T - 2 * torch.eye(len(vectors), device=self.device)).argmax(1)
            seen["r1"] = float((identities[found_again] == identities).float().mean())
        else:
            losses["boxes"] = detection_loss(self.network.find_items(*self.ahead(images)), targets, ignored)
        total = sum(SHARES[name] * loss for name, loss in losses.items())
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_([value for value in self.network.parameters() if value.requires_grad], 5.0)
        nn.utils.clip_grad_norm_(self.heads.parameters(), 5.0)
        if torch.isfinite(norm):
            self.optimizer.step()
        self.step += 1
        keep = min(0.998, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.mean[name].lerp_(value, 1 - keep)
            else:
                self.mean[name].copy_(value)
        return {**{name: float(loss.detach()) for name, loss in losses.items()}, "norm": float(norm), **seen}


def main():
    options = parse()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    sources = Sources(options.photos, options.cache)
    # A run that learns only boxes needs no teacher. It leaves the file of descriptors to another
    # run.
    taught = np.zeros((len(sources.things), 1), np.float32) if options.learn == "boxes" else descriptors(sources, options.teacher, options.cache, options.threads)
    run = Run(options, taught)
    make = make_scenes if options.learn == "boxes" else make_batch
    last = options.steps if options.until is None else 10**9
    print(f"{len(sources.things)} identities, {run.device}, from step {run.step}", flush=True)
    batches = DataLoader(Batches(sources, options.seed, (run.step, last), make), batch_size=None, num_workers=options.workers, prefetch_factor=6 if options.workers else None)
    began = saved = told = time.time()
    sums, pictures = {}, 0
    run.network.train()
    for batch in batches:
        part = run.progress(began)
        if part >= 1:
            break
        for name, value in run.learn(batch, part).items():
            sums[name] = sums.get(name, 0.0) + value
        pictures += len(batch[0])
        now = time.time()
        if run.step % TOLD_EVERY == 0:
            line = {"step": run.step, "part": round(part, 4), "perSecond": round(pictures / (now - told), 1), **{name: round(value / TOLD_EVERY, 4) for name, value in sums.items()}}
            print(json.dumps(line), flush=True)
            sums, pictures, told = {}, 0, now
        if now - saved > options.save_every:
            run.spent, began, saved = run.spent + now - began, now, now
            run.save()
    run.spent += time.time() - began
    run.save()
    print(f"done at step {run.step}", flush=True)


if __name__ == "__main__":
    main()
