"""The detector: a backbone of three strides, a neck that mixes them up and down, and a head without
anchor boxes; 2.5 million parameters. Beside the detector the trunk (trunk.py), whose map tells the
kind of a thing."""
import torch
import torch.nn.functional as F
from torch import nn

from trunk import Trunk

CLASSES = ("item", "person", "bicycle", "car", "motorcycle", "bus", "truck", "animal", "food", "bottle", "bag", "furniture", "electronics")
STRIDES = (8, 16, 32)
# Length of the trunk's part of a raw vector; the two backbone maps have 1 each. R@1 of 100 marks
# that are not in the training, in scenes, with 1, 1.5, 2, 3 and 4: .743, .767, .757, .757, .750.
TRUNK_WEIGHT = 3.0
# Parts that each training moves, by its purpose. Only "all" moves the backbone: vectors are pooled
# from its maps, and must not change while boxes are learned.
PARTS = {"vectors": ("trunk",), "boxes": ("up16", "up8", "to16", "neck16", "to32", "neck32", "heads"), "all": ("",)}


class Conv(nn.Module):
    """Convolution with SiLU. `norm` is merged into the convolution before the export. A loaded
    merged model has no norm."""

    def __init__(self, inputs, outputs, size=1, stride=1, norm=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03) if norm else nn.Identity()

    def forward(self, x):
        return F.silu(self.norm(self.conv(x)))

    def merge(self):
        """Merges BatchNorm's scale and shift into the weights."""
        if isinstance(self.norm, nn.Identity):
            return
        scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        merged = nn.Conv2d(self.conv.in_channels, self.conv.out_channels, self.conv.kernel_size, self.conv.stride, self.conv.padding)
        merged.weight.data = (self.conv.weight * scale[:, None, None, None]).detach()
        merged.bias.data = (self.norm.bias - self.norm.running_mean * scale).detach()
        self.conv, self.norm = merged, nn.Identity()


class Bottleneck(nn.Module):
    def __init__(self, width, shortcut, norm):
        super().__init__()
        self.first = Conv(width, width, 3, norm=norm)
        self.second = Conv(width, width, 3, norm=norm)
        self.shortcut = shortcut

    def forward(self, x):
        y = self.second(self.first(x))
        return x + y if self.shortcut else y


class Split(nn.Module):
    """Splits the channels: half pass by, the other half goes through bottlenecks, and all results
    are joined."""

    def __init__(self, inputs, outputs, depth, shortcut, norm):
        super().__init__()
        self.half = outputs // 2
        self.enter = Conv(inputs, outputs, norm=norm)
        self.steps = nn.ModuleList(Bottleneck(self.half, shortcut, norm) for _ in range(depth))
        self.leave = Conv((2 + depth) * self.half, outputs, norm=norm)

    def forward(self, x):
        parts = list(self.enter(x).split((self.half, self.half), 1))
        for step in self.steps:
            parts.append(step(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class Pyramid(nn.Module):
    """Pools three times in a row, each time over a wider area."""

    def __init__(self, width, norm):
        super().__init__()
        self.enter = Conv(width, width // 2, norm=norm)
        self.leave = Conv(2 * width, width, norm=norm)

    def forward(self, x):
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, 1, 2))
        return self.leave(torch.cat(parts, 1))


class Head(nn.Module):
    """Head of a stride: distances of the four edges from each cell's middle, and a score for each
    class."""

    def __init__(self, inputs, stride, norm):
        super().__init__()
        self.stride = stride
        self.stem = Conv(inputs, 64, norm=norm)
        self.edges = nn.Sequential(Conv(64, 64, 3, norm=norm), nn.Conv2d(64, 4, 1))
        self.scores = nn.Sequential(Conv(64, 64, 3, norm=norm), nn.Conv2d(64, len(CLASSES), 1))
        nn.init.constant_(self.scores[1].bias, -4.5)
        nn.init.constant_(self.edges[1].bias, 1.0)

    def forward(self, x):
        x = self.stem(x)
        return self.edges(x).clamp(max=5).exp() * self.stride, self.scores(x)


class Network(nn.Module):
    def __init__(self, norm=True):
        super().__init__()
        self.stem = nn.Sequential(Conv(3, 16, 3, 2, norm), Conv(16, 32, 3, 2, norm), Split(32, 32, 1, True, norm))
        self.down8 = nn.Sequential(Conv(32, 64, 3, 2, norm), Split(64, 64, 2, True, norm))
        self.down16 = nn.Sequential(Conv(64, 128, 3, 2, norm), Split(128, 128, 2, True, norm))
        self.down32 = nn.Sequential(Conv(128, 256, 3, 2, norm), Split(256, 256, 1, True, norm), Pyramid(256, norm))
        self.up16 = Split(384, 128, 1, False, norm)
        self.up8 = Split(192, 64, 1, False, norm)
        self.to16 = Conv(64, 64, 3, 2, norm)
        self.neck16 = Split(192, 128, 1, False, norm)
        self.to32 = Conv(128, 128, 3, 2, norm)
        self.neck32 = Split(384, 256, 1, False, norm)
        self.heads = nn.ModuleList(Head(width, stride, norm) for width, stride in zip((64, 128, 256), STRIDES))
        self.trunk = Trunk()

    def pooled_maps(self, x):
        """Returns the maps for pool(): (map, stride, grid, weight) of each."""
        at8, at16, _ = self.maps(x)
        return pooled(at8, at16, self.trunk(x))

    def maps(self, x):
        """Returns the backbone's map of each stride."""
        at8 = self.down8(self.stem(x))
        at16 = self.down16(at8)
        return at8, at16, self.down32(at16)

    def detect(self, at8, at16, at32):
        """Returns a list over strides of (edges, scores before the sigmoid), [batch, 4 or classes,
        height, width]."""
        mixed16 = self.up16(torch.cat((F.interpolate(at32, scale_factor=2.0, mode="nearest"), at16), 1))
        out8 = self.up8(torch.cat((F.interpolate(mixed16, scale_factor=2.0, mode="nearest"), at8), 1))
        out16 = self.neck16(torch.cat((self.to16(out8), mixed16), 1))
        out32 = self.neck32(torch.cat((self.to32(out16), at32), 1))
        return [head(x) for head, x in zip(self.heads, (out8, out16, out32))]

    def forward(self, x):
        """Returns the export's two outputs: the boxes [batch, 4 + classes, cells], middle and size
        in pixels, scores after the sigmoid; and the trunk's map."""
        return self.boxes(*self.maps(x)), self.trunk(x)

    def boxes(self, *maps):
        return torch.cat([self.boxes_of(head, *found) for head, found in zip(self.heads, self.detect(*maps))], 2)

    @staticmethod
    def boxes_of(head, edges, scores):
        # Running sums instead of arange: they keep height and width open in the export.
        ones = torch.ones_like(scores[:, :1])
        x = (ones.cumsum(3) - 0.5) * head.stride
        y = (ones.cumsum(2) - 0.5) * head.stride
        left, top, right, bottom = edges.split(1, 1)
        found = torch.cat((x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom, scores.sigmoid()), 1)
        return found.flatten(2)

    def merge(self):
        for part in self.modules():
            if isinstance(part, Conv):
                part.merge()
        return self


def pooled(at8, at16, semantic):
    return [(at8, 8, 3, 1.0), (at16, 16, 3, 1.0), (semantic, 32, 1, TRUNK_WEIGHT)]


def load_export(file, trunk=None):
    """Loads a network with the weights of an export of the same architecture. The convolutions are
    in the order of forward(), except the heads. An export from before the trunk needs the file of a
    trunk."""
    network = Network(norm=False)
    targets = in_order_of_use(network)
    weights = convolutions(file)
    own = sum(1 for part in network.trunk.modules() if isinstance(part, nn.Conv2d))
    if trunk is not None and len(weights) == len(targets) - own:
        weights = weights + convolutions(trunk)
    give(targets, weights, file)
    return network


def with_trunk(network, trunk):
    give([part for part in network.trunk.modules() if isinstance(part, nn.Conv2d)], convolutions(trunk), trunk)
    return network


def convolutions(file):
    """Returns (weight, bias) of each convolution of an ONNX file, in order. Also reads float16
    weights that are cast."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(file)).graph
    values = {one.name: torch.from_numpy(numpy_helper.to_array(one).astype("f4")) for one in graph.initializer}
    values.update({node.output[0]: values[node.input[0]] for node in graph.node if node.op_type == "Cast" and node.input[0] in values})
    return [tuple(values[name] for name in node.input[1:3]) for node in graph.node if node.op_type == "Conv"]


def give(targets, weights, file):
    if len(weights) != len(targets):
        raise ValueError(f"{file}: {len(weights)} convolutions, {len(targets)} expected")
    for place, (conv, (weight, bias)) in enumerate(zip(targets, weights)):
        if weight.shape != conv.weight.shape:
            raise ValueError(f"{file}: convolution {place} is {tuple(weight.shape)}, {tuple(conv.weight.shape)} expected")
        conv.weight.data, conv.bias.data = weight, bias


def in_order_of_use(network):
    """Returns the convolutions in the order of a run; the three heads in sequence, as in the
    export's graph."""
    order, hooks = [], []
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            hooks.append(part.register_forward_hook(lambda conv, *_: order.append(conv)))
    with torch.no_grad():
        was = network.training
        network.eval()(torch.zeros(1, 3, 64, 64))
        network.train(was)
    for hook in hooks:
        hook.remove()
    return order
