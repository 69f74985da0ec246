"""The trunk for kinds: EfficientNet-Lite0 (Google, Apache-2.0) without its classifier, norms
merged, over the picture at 8/13 of its size (256 of 416 pixels)."""
import torch.nn.functional as F
from torch import nn

WIDTH = 1280
SCALE = 8 / 13
# Repeats, kernel, stride, expansion, width.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))


def padding_of(kernel, stride):
    """Returns the rows to add before and after."""
    more = kernel - stride
    return more // 2, more - more // 2


class Conv(nn.Module):
    """Pads as TensorFlow does: with a stride of 2, one row less before than after."""

    def __init__(self, inputs, outputs, kernel=1, stride=1, groups=1):
        super().__init__()
        self.padding = padding_of(kernel, stride) * 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups)

    def forward(self, x):
        return self.conv(F.pad(x, self.padding) if any(self.padding) else x)


class Block(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        self.expand = Conv(inputs, wide) if expansion != 1 else None
        self.spread = Conv(wide, wide, kernel, stride, groups=wide)
        self.leave = Conv(wide, outputs)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.leave(F.relu6(self.spread(y)))
        return x + y if self.shortcut else y


class Kinds(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        blocks, width = [], 32
        for repeats, kernel, stride, expansion, outputs in STAGES:
            for n in range(repeats):
                blocks.append(Block(width, outputs, kernel, stride if n == 0 else 1, expansion))
                width = outputs
        self.blocks = nn.Sequential(*blocks)
        self.last = Conv(width, WIDTH)

    def forward(self, x):
        """Maps RGB 0..1 [b, 3, h, w] to [b, 1280, rows, columns], a cell for 32 / SCALE pixels."""
        x = F.interpolate(x, scale_factor=SCALE, mode="bilinear", align_corners=False, recompute_scale_factor=False)
        return F.relu6(self.last(self.blocks(F.relu6(self.stem(2 * x - 1)))))
