"""The trunk: MobileNetV3-small (Howard et al. 2019, table 2) without its classifier, norms merged.
The last map, at stride 32, tells the kind of a box's content."""
import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 576
# Side in pixels of a box that the trunk sees.
CROP = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Kernel, expanded width, width, squeeze, activation, stride.
BLOCKS = (
    (3, 16, 16, True, F.relu, 2), (3, 72, 24, False, F.relu, 2), (3, 88, 24, False, F.relu, 1), (5, 96, 40, True, F.hardswish, 2), (5, 240, 40, True, F.hardswish, 1),
    (5, 240, 40, True, F.hardswish, 1), (5, 120, 48, True, F.hardswish, 1), (5, 144, 48, True, F.hardswish, 1), (5, 288, 96, True, F.hardswish, 2),
    (5, 576, 96, True, F.hardswish, 1), (5, 576, 96, True, F.hardswish, 1)
)


class Squeeze(nn.Module):
    """Weighs channels by the content of the whole picture."""

    def __init__(self, width):
        super().__init__()
        narrow = max(8, (width // 4 + 4) // 8 * 8)
        self.narrow, self.widen = nn.Conv2d(width, narrow, 1), nn.Conv2d(narrow, width, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.widen(F.relu(self.narrow(x.mean((2, 3), keepdim=True)))))


class Block(nn.Module):
    def __init__(self, inputs, kernel, expanded, outputs, squeeze, activation, stride):
        super().__init__()
        self.activation = activation
        self.expand = nn.Conv2d(inputs, expanded, 1) if expanded != inputs else None
        self.spread = nn.Conv2d(expanded, expanded, kernel, stride, kernel // 2, groups=expanded)
        self.squeeze = Squeeze(expanded) if squeeze else nn.Identity()
        self.leave = nn.Conv2d(expanded, outputs, 1)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        y = x if self.expand is None else self.activation(self.expand(x))
        y = self.leave(self.squeeze(self.activation(self.spread(y))))
        return x + y if self.shortcut else y


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None], persistent=False)
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        widths = [16, *(block[2] for block in BLOCKS)]
        self.blocks = nn.Sequential(*(Block(inputs, *block) for inputs, block in zip(widths, BLOCKS)))
        self.last = nn.Conv2d(widths[-1], WIDTH, 1)

    def forward(self, x):
        """Maps RGB 0..1 [batch, 3, h, w] to [batch, 576, h / 32, w / 32]."""
        return F.hardswish(self.last(self.blocks(F.hardswish(self.stem((x - self.mean) / self.deviation)))))
