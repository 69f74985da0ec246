import pytest
import torch
from torch import nn

from ultralytics_embed.taps import find_taps
from ultralytics_embed.tapped_detector import TappedDetector


def test_the_maps_are_those_that_the_backbone_hands_to_the_neck(yolo):
    detector = TappedDetector(yolo.model, 320)
    assert [tap.stride for tap in detector.taps] == [8, 16]
    # The neck begins at the first Upsample.
    first = next(layer.i for layer in yolo.model.model if isinstance(layer, nn.Upsample))
    assert all(tap.layer < first for tap in detector.taps)
    assert detector.raw_dim == 9 * sum(tap.channels for tap in detector.taps)


def test_every_box_is_answered_where_ultralytics_chooses_end_to_end(yolo):
    detector = TappedDetector(yolo.model, 320)
    with torch.no_grad():
        every_box = detector(torch.rand(1, 3, 320, 320))[0]
        own = yolo.model(torch.rand(1, 3, 320, 320))[0]
    count = 40 * 40 + 20 * 20 + 10 * 10
    assert list(every_box.shape) == ([1, count, 84] if detector.is_end_to_end else [1, 84, count])
    # The head's own method is back in place.
    assert list(own.shape) == ([1, 300, 6] if detector.is_end_to_end else [1, 84, count])


def test_a_network_without_a_top_down_path_is_refused():
    layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Upsample(scale_factor=2))
    for i, layer in enumerate(layers):
        layer.i, layer.f = i, -1
    with pytest.raises(ValueError, match="top-down path"):
        find_taps(layers)
