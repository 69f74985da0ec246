"""Run with python -m unittest test_training, in this folder: needs requirements.txt, no photographs
and no network."""
import json
import pathlib
import tempfile
import unittest

import cv2
import numpy as np
import torch

from compose import HALF, IDENTITIES, make_batch, pick_things
from export import check, write
from exported import Exported
from learn_profile import learn
from losses import contrastive_loss, detection_loss
from network import Network, load_export
from pooling import load_profile, pool, project
from ship import parity_of, parts_of, pool_text
from sources import Sources

STARTER = pathlib.Path(__file__).parent.parent / "likeness-nano"


def draw_photographs(folder, count=80):
    random = np.random.default_rng(5)
    lines = []
    for i in range(count):
        picture = cv2.resize(random.integers(0, 256, (6, 8, 3), np.uint8), (256, 192), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{i}.jpg"), picture)
        lines.append(json.dumps({"path": f"{i}.jpg", "boxes": [["food", 0.1, 0.1, 0.7, 0.8, 1]]}))
    (folder / "photos.ndjson").write_text("\n".join(lines))


class Batches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.held.name)
        draw_photographs(folder)
        cls.folder, cls.sources = folder, Sources(folder, folder / "cache")

    @classmethod
    def tearDownClass(cls):
        cls.held.cleanup()

    def test_every_identity_once_in_each_half(self):
        pixels, rois, boxes, _ = make_batch(self.sources, (1, 2))
        self.assertEqual(len(pixels), 2 * HALF)
        halves = [rois[(rois[:, 1] < HALF) == first][:, 0] for first in (True, False)]
        for half in halves:
            self.assertEqual(len(np.unique(half)), len(half))
            self.assertGreater(len(half), 0.9 * IDENTITIES)
        side = pixels.shape[1]
        self.assertTrue((rois[:, 2:] >= 0).all() and (rois[:, 2:] <= side + 1).all() and (boxes[:, 4:] > boxes[:, 2:4]).all())

    def test_same_seed_same_batch_and_another_another(self):
        first, again, other = (make_batch(self.sources, (1, seed)) for seed in (7, 7, 8))
        self.assertTrue(all(np.array_equal(a, b) for a, b in zip(first, again)))
        self.assertFalse(first[0].shape == other[0].shape and np.array_equal(first[0], other[0]))

    def test_a_folder_without_a_list_is_used_as_whole_photographs(self):
        (self.folder / "photos.ndjson").rename(self.folder / "away")
        try:
            things = Sources(self.folder, self.folder / "cache", words=0).things
        finally:
            (self.folder / "away").rename(self.folder / "photos.ndjson")
        self.assertEqual([thing.kind for thing in things], [-1] * 80)

    def test_too_few_things_are_refused(self):
        few = Sources(self.folder, self.folder / "cache", words=20)
        with self.assertRaisesRegex(ValueError, "at least"):
            pick_things(few, np.random.default_rng(1))

    def test_an_empty_folder_is_refused(self):
        with tempfile.TemporaryDirectory() as empty, self.assertRaisesRegex(ValueError, "no pictures"):
            Sources(empty, empty)


class Weights(unittest.TestCase):
    def test_an_export_goes_in_and_comes_out_unchanged(self):
        torch.manual_seed(2)
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/made.onnx"
            write(Network().eval(), file, "0.0.1")
            check(load_export(file).eval(), file)

    def test_the_shipped_model_goes_in_and_comes_out_unchanged(self):
        network = load_export(STARTER / "likeness-nano.onnx").eval()
        check(network, str(STARTER / "likeness-nano.onnx"))

    def test_another_architecture_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/other.onnx"
            torch.onnx.export(torch.nn.Conv2d(3, 8, 3), (torch.zeros(1, 3, 32, 32),), file, dynamo=False)
            with self.assertRaisesRegex(ValueError, "1 convolutions"):
                load_export(file)

    def test_an_export_of_new_weights_is_checked(self):
        torch.manual_seed(1)
        network = Network().eval()
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/made.onnx"
            write(network, file, "0.0.1")
            check(network, file)
            network.items[0].scores.bias.data += 1
            with self.assertRaisesRegex(ValueError, "differs"):
                check(network, file)
            network.items[0].scores.bias.data -= 1
            network.trunk.last.weight.data[:, :48] *= -1
            with self.assertRaisesRegex(ValueError, "differs"):
                check(network, file)

    def test_a_box_pooled_whole_is_the_mean_of_its_nine_cells(self):
        torch.manual_seed(1)
        rois = torch.tensor([[0, 20.0, 30, 200, 190]])
        nine, whole = (pool([(torch.rand(1, 5, 8, 8, generator=torch.Generator().manual_seed(4)), 32, grid, 1.0)], rois) for grid in (3, 1))
        means = torch.nn.functional.normalize((nine.view(1, 5, 9) ** 3).mean(2) ** (1 / 3))
        self.assertLess((means - whole).abs().max(), 1e-5)

    def test_what_ships_with_a_model_is_what_its_folder_says(self):
        parity = json.loads((STARTER / "parity.json").read_text())
        manifest = json.loads((STARTER / "manifest.json").read_text())
        model = Exported(STARTER / manifest["file"], manifest["input"]["defaultSize"])
        self.assertEqual(model.maps(), manifest["raw"]["maps"])
        self.assertEqual(pool_text(model.maps()), manifest["raw"]["pool"])
        profile = load_profile(STARTER / manifest["profile"]["file"], manifest["raw"]["dim"], manifest["profile"].get("parts", ()))
        made = parity_of(model, profile, cv2.imread(str(STARTER / "parity.png")), manifest["detection"])
        self.assertLess(np.abs(np.array(made["raw_first8"]) - parity["raw_first8"]).max(), 1e-3)
        self.assertEqual([box["cls"] for box in made["boxes"]], [box["cls"] for box in parity["boxes"]])
        self.assertLess(np.abs(np.array(made["rois"]) - parity["rois"]).max(), 0.5)
        self.assertGreater((np.array(made["vectors"]) * parity["vectors"]).sum(1).min(), 0.999)

    def test_parts_are_projected_each_by_itself(self):
        random = np.random.default_rng(6)
        matrices = [random.normal(size=(3, 4)), random.normal(size=3), random.normal(size=(2, 5)), random.normal(size=2)]
        parts = parts_of(["kind=2:0.5", "instance=3"], {"instance": [0, 4], "kind": [4, 9]})
        self.assertEqual([(part["name"], part["raw"], part["weight"]) for part in parts], [("instance", [0, 4], 1.0), ("kind", [4, 9], 0.5)])
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "a.f32"
            np.concatenate([one.ravel() for one in matrices]).astype("<f4").tofile(file)
            profile = load_profile(file, 9, parts)
            with self.assertRaisesRegex(ValueError, "left over"):
                load_profile(file, 9, parts[:1])
        raw = random.normal(size=(6, 9)).astype(np.float32)
        unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)
        wanted = np.hstack((unit(raw[:, :4] @ matrices[0].T + matrices[1]), unit(raw[:, 4:] @ matrices[2].T + matrices[3]))) / np.sqrt(2)
        self.assertLess(np.abs(project(torch.from_numpy(raw), profile).numpy() - wanted).max(), 1e-5)
        with self.assertRaisesRegex(ValueError, "--part colour=3: NAME=DIM"):
            parts_of(["colour=3"], {"instance": [0, 4]})


class Learning(unittest.TestCase):
    def test_a_few_steps_find_a_box(self):
        torch.manual_seed(1)
        network, target = Network(), torch.tensor([[0, 0, 16.0, 16, 80, 72], [1, 0, 40, 8, 88, 90]])
        pixels = torch.rand(2, 3, 96, 96)
        optimizer = torch.optim.AdamW(network.items.parameters(), lr=1e-2)
        losses = []
        for _ in range(120):
            loss = detection_loss(network.find_items(*network.mixed(pixels)), target, torch.zeros(0, 5))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        self.assertLess(losses[-1], 0.5 * losses[0])

    def test_vectors_of_one_identity_are_wanted_alike(self):
        apart = torch.nn.functional.one_hot(torch.arange(4)).float()
        identities = torch.tensor([0, 0, 1, 1])
        together = torch.nn.functional.one_hot(identities).float()
        self.assertLess(contrastive_loss(together, identities, 0.1), contrastive_loss(apart, identities, 0.1))

    def test_the_projection_drops_what_varies_between_views(self):
        random = np.random.default_rng(3)
        numbers = np.repeat(np.arange(200), 4)
        own = random.normal(0, 3, (200, 4))[numbers]
        vectors = np.hstack((own, random.normal(0, 5, (800, 4))))
        matrix, bias = learn(vectors, numbers, dims=4)
        made = vectors @ matrix.T + bias
        self.assertLess(np.abs(made.mean(0)).max(), 1e-4)
        self.assertGreater(np.abs(matrix[:, :4]).sum(), 10 * np.abs(matrix[:, 4:]).sum())


if __name__ == "__main__":
    unittest.main()
