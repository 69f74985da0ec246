"""YOLOX-nano (Ge et al. 2021; Megvii, Apache-2.0): backbone, neck and heads for the 80 classes of
COCO, norms merged. Takes RGB 0..1; the published weights take BGR 0..255."""
import torch
import torch.nn.functional as F
from torch import nn

STRIDES = (8, 16, 32)
WIDTHS = (64, 128, 256)


class Conv(nn.Module):
    """Convolution with SiLU."""

    def __init__(self, inputs, outputs, size=1, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups)

    def forward(self, x):
        return F.silu(self.conv(x))


def separable(inputs, outputs, stride=1):
    return nn.Sequential(Conv(inputs, inputs, 3, stride, groups=inputs), Conv(inputs, outputs))


class Bottleneck(nn.Module):
    def __init__(self, width, shortcut):
        super().__init__()
        self.first, self.second, self.shortcut = Conv(width, width), separable(width, width), shortcut

    def forward(self, x):
        y = self.second(self.first(x))
        return x + y if self.shortcut else y


class Split(nn.Module):
    """Half of the channels go through bottlenecks, the other half pass by."""

    def __init__(self, inputs, outputs, depth=1, shortcut=True):
        super().__init__()
        half = outputs // 2
        self.through, self.past = Conv(inputs, half), Conv(inputs, half)
        self.steps = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(depth)))
        self.leave = Conv(2 * half, outputs)

    def forward(self, x):
        through, past = self.through(x), self.past(x)
        return self.leave(torch.cat((self.steps(through), past), 1))


class Pyramid(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.enter, self.leave = Conv(width, width // 2), Conv(2 * width, width)

    def forward(self, x):
        x = self.enter(x)
        return self.leave(torch.cat((x, *(F.max_pool2d(x, size, 1, size // 2) for size in (5, 9, 13))), 1))


class Head(nn.Module):
    """Class scores from one tower, edges and objectness from another."""

    def __init__(self, inputs, stride, classes):
        super().__init__()
        self.stride = stride
        self.stem = Conv(inputs, 64)
        self.class_tower = nn.Sequential(separable(64, 64), separable(64, 64))
        self.classes = nn.Conv2d(64, classes, 1)
        self.box_tower = nn.Sequential(separable(64, 64), separable(64, 64))
        self.edges, self.objectness = nn.Conv2d(64, 4, 1), nn.Conv2d(64, 1, 1)

    def forward(self, x):
        """Returns (middle and size in pixels [b, 4, cells], scores [b, classes, cells])."""
        x = self.stem(x)
        classes = self.classes(self.class_tower(x))
        y = self.box_tower(x)
        edges, objectness = self.edges(y), self.objectness(y)
        # Running sums instead of arange: they keep height and width open in the export.
        ones = torch.ones_like(objectness)
        corner = torch.cat((ones.cumsum(3), ones.cumsum(2)), 1) - 1
        boxes = torch.cat(((edges[:, :2] + corner) * self.stride, edges[:, 2:].exp() * self.stride), 1)
        return boxes.flatten(2), (objectness.sigmoid() * classes.sigmoid()).flatten(2)


class Yolox(nn.Module):
    def __init__(self, classes=80):
        super().__init__()
        self.stem = Conv(12, 16, 3)
        self.down4 = nn.Sequential(separable(16, 32, 2), Split(32, 32))
        self.down8 = nn.Sequential(separable(32, 64, 2), Split(64, 64, 3))
        self.down16 = nn.Sequential(separable(64, 128, 2), Split(128, 128, 3))
        self.down32 = nn.Sequential(separable(128, 256, 2), Pyramid(256), Split(256, 256, 1, False))
        self.lateral = Conv(256, 128)
        self.up16 = Split(256, 128, 1, False)
        self.reduce = Conv(128, 64)
        self.up8 = Split(128, 64, 1, False)
        self.to16 = separable(64, 64, 2)
        self.neck16 = Split(128, 128, 1, False)
        self.to32 = separable(128, 128, 2)
        self.neck32 = Split(256, 256, 1, False)
        self.heads = nn.ModuleList(Head(width, stride, classes) for width, stride in zip(WIDTHS, STRIDES))

    def backbone(self, x):
        """Maps RGB 0..1 [b, 3, h, w] to the maps of stride 8, 16 and 32."""
        # Every second pixel of every second row becomes a channel of its own.
        x = torch.cat((x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]), 1)
        at8 = self.down8(self.down4(self.stem(x)))
        at16 = self.down16(at8)
        return at8, at16, self.down32(at16)

    def neck(self, at8, at16, at32):
        """Returns the mixed maps of stride 8, 16 and 32."""
        mixed32 = self.lateral(at32)
        mixed16 = self.reduce(self.up16(torch.cat((F.interpolate(mixed32, scale_factor=2.0, mode="nearest"), at16), 1)))
        out8 = self.up8(torch.cat((F.interpolate(mixed16, scale_factor=2.0, mode="nearest"), at8), 1))
        out16 = self.neck16(torch.cat((self.to16(out8), mixed16), 1))
        return out8, out16, self.neck32(torch.cat((self.to32(out16), mixed32), 1))

    def forward(self, x):
        found = [head(mixed) for head, mixed in zip(self.heads, self.neck(*self.backbone(x)))]
        return torch.cat([torch.cat(one, 1) for one in found], 2)

