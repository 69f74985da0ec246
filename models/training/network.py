"""The detector: a backbone of three strides, a neck that mixes them up and down, and a head without anchors boxes. 2.5 million parameters."""
import torch
import torch.nn.functional as F
from torch import nn

CLASSES = ("item", "person", "bicycle", "car", "motorcycle", "bus", "truck", "animal", "food", "bottle", "bag", "furniture", "electronics")
STRIDES = (8, 16, 32)


class Conv(nn.Module):
    """Convolution with SiLU. `norm` is merged into the convolution before export and after loading a merged model there is none."""

    def __init__(self, inputs, outputs, size=1, stride=1, norm=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03) if norm else nn.Identity()

    def forward(self, x):
        return F.silu(self.norm(self.conv(x)))

    def merge(self):
        """BatchNorm's scale and shift become part of the weights."""
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
    """Half of the channels pass by, the other half goes through bottlenecks, and all that came out on the way is joined."""

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
    """Three poolings one after another see ever wider surroundings."""

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
    """Of one stride: distances of the four edges from each cell's middle, and a score for each class."""

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

    def maps(self, x):
        """The two maps that are pooled into vectors, and the deepest."""
        at8 = self.down8(self.stem(x))
        at16 = self.down16(at8)
        return at8, at16, self.down32(at16)

    def detect(self, at8, at16, at32):
        """A list over strides of (edges, scores before the sigmoid), [batch, 4 or classes, height, width]."""
        mixed16 = self.up16(torch.cat((F.interpolate(at32, scale_factor=2.0, mode="nearest"), at16), 1))
        out8 = self.up8(torch.cat((F.interpolate(mixed16, scale_factor=2.0, mode="nearest"), at8), 1))
        out16 = self.neck16(torch.cat((self.to16(out8), mixed16), 1))
        out32 = self.neck32(torch.cat((self.to32(out16), at32), 1))
        return [head(x) for head, x in zip(self.heads, (out8, out16, out32))]

    def forward(self, x):
        """The export's one output: [batch, 4 + classes, cells], middle and size in pixels, scores after the sigmoid."""
        return torch.cat([self.boxes_of(head, *found) for head, found in zip(self.heads, self.detect(*self.maps(x)))], 2)

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


def load_export(file):
    """A network with the weights of an export of this very architecture: its convolutions are listed in the order in which forward() meets them, but for the heads."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(file)).graph
    values = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
    network = Network(norm=False)
    targets = in_order_of_use(network)
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    if len(nodes) != len(targets):
        raise ValueError(f"{file}: {len(nodes)} convolutions, {len(targets)} expected")
    for node, conv in zip(nodes, targets):
        weight, bias = values[node.input[1]], values[node.input[2]]
        if weight.shape != conv.weight.shape:
            raise ValueError(f"{file}: {node.name} is {tuple(weight.shape)}, {tuple(conv.weight.shape)} expected")
        conv.weight.data, conv.bias.data = weight, bias
    return network


def in_order_of_use(network):
    """The convolutions as a run meets them; the three heads one after another, as the export's graph has them."""
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
