"""Checks that the same weights give the same boxes and vectors in this package and through
Ultralytics' own export and the TypeScript pipeline."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import SIZE, noise_picture
from PIL import Image

from ultralytics_embed import EmbeddingYOLO

REPOSITORY = Path(__file__).resolve().parents[3]
needs_likeness = pytest.mark.skipif(
    shutil.which("node") is None or not (REPOSITORY / "node_modules").is_dir(), reason="needs node and `npm ci` in the repository"
)


def embed_with_likeness(onnx: Path, picture: Path, cache: Path) -> dict:
    script = Path(__file__).with_name("embed_with_likeness.mjs")
    done = subprocess.run(["node", "--import", "tsx", script, onnx, picture, cache], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_likeness
@pytest.mark.parametrize("embed", [False, True], ids=["ultralytics' own export", "export(embed=True)"])
def test_likeness_gives_the_same_boxes_and_vectors(yolo, embed, tmp_path):
    model = EmbeddingYOLO(yolo, SIZE)
    picture = tmp_path / "picture.png"
    Image.fromarray(noise_picture(500, 340, seed=5)).save(picture)
    wanted = model.embed_objects(picture)
    onnx = model.export(tmp_path / "exported.onnx", embed=embed)
    seen = embed_with_likeness(onnx, picture, tmp_path / "cache")
    assert [(one["stride"], one["channels"]) for one in seen["maps"]] == [(tap.stride, tap.channels) for tap in model.detector.taps]
    assert len(wanted.boxes) > 0
    assert [one["className"] for one in seen["subjects"]] == wanted.names
    for i, one in enumerate(seen["subjects"]):
        assert np.abs(np.array(one["box"]) - wanted.boxes[i]).max() < 0.5
        assert one["score"] == pytest.approx(wanted.scores[i], abs=2e-3)
        assert cosine(one["raw"], wanted.raw[i]) > 0.999
    assert cosine(seen["whole"], wanted.whole) > 0.999


def cosine(a, b) -> float:
    return float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))
