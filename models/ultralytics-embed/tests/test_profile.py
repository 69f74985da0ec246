import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ultralytics_embed.profile import Profile, load_profile

REPOSITORY = Path(__file__).resolve().parents[3]
needs_likeness = pytest.mark.skipif(
    shutil.which("node") is None or not (REPOSITORY / "node_modules").is_dir(), reason="needs node and `npm ci` in the repository"
)
PARTS = [{"name": "instance", "raw": [0, 4], "dim": 3, "weight": 1}, {"name": "kind", "raw": [4, 9], "dim": 2, "weight": 0.5}]


def write_folder(folder: Path, parts: list | None) -> list[np.ndarray]:
    """Writes a manifest and a profile of random numbers."""
    random = np.random.default_rng(1)
    shapes = [(3, 4), (3,), (2, 5), (2,)] if parts else [(5, 9), (5,)]
    matrices = [random.normal(size=shape).astype("<f4") for shape in shapes]
    data = b"".join(one.tobytes() for one in matrices)
    (folder / "own.profile.f32").write_bytes(data)
    entry = {"name": "own", "version": 1, "file": "own.profile.f32", "sha256": hashlib.sha256(data).hexdigest(), "dim": 5, **({"parts": parts} if parts else {})}
    (folder / "manifest.json").write_text(json.dumps({"raw": {"dim": 9}, "profile": entry}))
    return matrices


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_a_profile_without_parts_is_one_part(tmp_path):
    matrix, bias = write_folder(tmp_path, None)
    raw = np.random.default_rng(2).normal(size=(7, 9)).astype(np.float32)
    profile = load_profile(tmp_path)
    assert profile.dim == 5
    assert np.allclose(profile.apply(raw), unit(raw @ matrix.T + bias), atol=1e-6)


def test_each_part_is_projected_by_itself_and_a_search_weighs_them(tmp_path):
    first, first_bias, second, second_bias = write_folder(tmp_path, PARTS)
    raw = np.random.default_rng(2).normal(size=(7, 9)).astype(np.float32)
    profile = load_profile(tmp_path)
    rows = profile.apply(raw)
    one, two = unit(raw[:, :4] @ first.T + first_bias), unit(raw[:, 4:] @ second.T + second_bias)
    assert np.allclose(rows, np.hstack([one, two]) / np.sqrt(2), atol=1e-6)
    scores = profile.weigh(rows) @ rows.T
    assert np.allclose(scores, (one @ one.T + 0.5 * two @ two.T) / 1.5, atol=1e-5)
    assert np.allclose(profile.weigh(rows, {"kind": 0}) @ rows.T, one @ one.T, atol=1e-5)
    with pytest.raises(ValueError, match="no part colour"):
        profile.weigh(rows, {"colour": 1})
    with pytest.raises(ValueError, match="one of them counts"):
        profile.weigh(rows, {"instance": 0, "kind": 0})


def test_a_part_without_a_direction_stays_zero(tmp_path):
    write_folder(tmp_path, PARTS)
    first, second = load_profile(tmp_path).parts
    nothing = replace(second, matrix=np.zeros_like(second.matrix), bias=np.zeros_like(second.bias))
    made = Profile(9, (first, nothing)).apply(np.ones(9, np.float32))
    assert (made[3:] == 0).all() and np.linalg.norm(made[:3]) == pytest.approx(np.sqrt(0.5))


def test_another_file_than_the_manifest_names_is_refused(tmp_path):
    write_folder(tmp_path, PARTS)
    listed = tmp_path / "manifest.json"
    manifest = json.loads(listed.read_text())
    manifest["profile"]["parts"] = PARTS[:1]
    listed.write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="12 numbers more"):
        load_profile(tmp_path)
    (tmp_path / "own.profile.f32").write_bytes(b"1234")
    with pytest.raises(ValueError, match="not the file"):
        load_profile(tmp_path)


@needs_likeness
@pytest.mark.parametrize("parts", [None, PARTS], ids=["one part", "two parts"])
def test_likeness_makes_the_same_vectors(tmp_path, parts):
    write_folder(tmp_path, parts)
    raw = np.random.default_rng(3).normal(size=(4, 9)).astype(np.float32)
    script = Path(__file__).with_name("project_with_likeness.mjs")
    done = subprocess.run(["node", "--import", "tsx", script, tmp_path], cwd=REPOSITORY, capture_output=True, text=True, input=json.dumps(raw.ravel().tolist()))
    assert done.returncode == 0, done.stderr
    assert np.allclose(np.array(json.loads(done.stdout)).reshape(4, 5), load_profile(tmp_path).apply(raw), atol=1e-6)
