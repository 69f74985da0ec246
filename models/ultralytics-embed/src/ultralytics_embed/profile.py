"""The profile of a model folder of Likeness: raw vectors to the vectors of a collection."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Part:
    name: str
    start: int
    """First number of the raw vector, and the one behind the last."""
    end: int
    weight: float
    """Weight of the part in a search for which nothing else is given."""
    matrix: np.ndarray
    """f32 [dim, end - start]"""
    bias: np.ndarray
    """f32 [dim]"""


@dataclass(frozen=True)
class Profile:
    raw_dim: int
    parts: tuple[Part, ...]

    @property
    def dim(self) -> int:
        return sum(len(part.bias) for part in self.parts)

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Maps f32 [..., raw_dim] -> f32 [..., dim] in stored form: the parts one behind the other,
        each of the length 1 / sqrt(number of parts). A part without a direction stays zero."""
        if raw.shape[-1] != self.raw_dim:
            raise ValueError(f"raw vectors have {raw.shape[-1]} numbers, the profile takes {self.raw_dim}")
        made = []
        for part in self.parts:
            rows = raw[..., part.start : part.end] @ part.matrix.T + part.bias
            length = np.linalg.norm(rows, axis=-1, keepdims=True)
            made.append(rows / np.where(length > 0, length, 1))
        return (np.concatenate(made, -1) / np.sqrt(len(made))).astype(np.float32)

    def weigh(self, queries: np.ndarray, weights: dict[str, float] | None = None) -> np.ndarray:
        """Scales queries in stored form by the weights of a search: the inner product with a row in
        stored form is then the score, 1 for an identical row. Parts that are not named keep their
        weight."""
        named = weights or {}
        unknown = set(named) - {part.name for part in self.parts}
        if unknown:
            raise ValueError(f"there is no part {', '.join(sorted(unknown))}")
        chosen = np.array([named.get(part.name, part.weight) for part in self.parts])
        if chosen.min() < 0 or chosen.sum() == 0:
            raise ValueError("weights are 0 or more, and one of them counts")
        factors = len(chosen) * chosen / chosen.sum()
        return (queries * np.repeat(factors, [len(part.bias) for part in self.parts])).astype(np.float32)


def load_profile(folder: str | Path) -> Profile:
    """Reads the profile that `manifest.json` of a model folder names. ValueError for a file that is
    not the one of the manifest."""
    manifest = json.loads((Path(folder) / "manifest.json").read_text())
    entry, raw_dim = manifest["profile"], manifest["raw"]["dim"]
    data = (Path(folder) / entry["file"]).read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise ValueError(f"{entry['file']} is not the file that the manifest names")
    values = np.frombuffer(data, "<f4")
    told = entry.get("parts") or [{"name": "instance", "raw": [0, raw_dim], "dim": entry["dim"], "weight": 1}]
    parts = []
    for one in told:
        (start, end), dim = one["raw"], one["dim"]
        count = dim * (end - start)
        parts.append(Part(one["name"], start, end, one["weight"], values[:count].reshape(dim, end - start), values[count : count + dim]))
        values = values[count + dim :]
    if len(values) > 0:
        raise ValueError(f"{entry['file']} holds {len(values)} numbers more than the manifest names")
    return Profile(raw_dim, tuple(parts))
