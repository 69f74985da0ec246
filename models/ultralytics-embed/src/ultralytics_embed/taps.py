"""Finds the maps between backbone and neck from the shape of the network alone, never from names or
positions."""

from __future__ import annotations

from torch import nn
from ultralytics.nn.modules import Concat


def find_taps(layers: nn.Sequential) -> list[int]:
    """Returns the numbers of the layers whose results are the backbone maps, coarsest first.

    The top-down path repeats Upsample(top) -> Concat(., next finer map). The other inputs of those
    Concats come straight from the backbone. ValueError when there is no such path.
    """
    taps = []
    for layer in layers:
        if not isinstance(layer, nn.Upsample):
            continue
        join = next((other for other in layers if isinstance(other, Concat) and layer.i in sources_of(other)), None)
        others = [source for source in sources_of(join) if source != layer.i] if join is not None else []
        if len(others) == 1:
            taps.append(others[0])
    if len(taps) < 2:
        raise ValueError(f"{len(taps)} Upsample layers are joined with a finer map, a top-down path has at least 2")
    return taps


def sources_of(layer: nn.Module) -> list[int]:
    """Returns the numbers of the layers that a layer reads; a negative `f` counts back from the
    layer."""
    given = [layer.f] if isinstance(layer.f, int) else layer.f
    return [source if source >= 0 else layer.i + source for source in given]
