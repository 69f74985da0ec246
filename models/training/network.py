"""The built-in model: YOLOX-nano, whose maps and boxes stay as they were published; heads beside it
for marks, goods and things on plain grounds (items); a trunk for single things (trunk.py) and one
for kinds (kinds.py)."""
import torch
import torch.nn.functional as F
from torch import nn

from kinds import Kinds
from trunk import CROP, Trunk
from yolox import STRIDES, WIDTHS, Conv, Yolox, separable

COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat",
    "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball",
    "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse",
    "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush"
)
# "item" is a thing that is none of the others: marks, goods, packages, clothes.
CLASSES = ("item", *COCO)
# Parts that each training moves, by its purpose.
PARTS = {"vectors": "trunk", "boxes": "items"}


class ItemHead(nn.Module):
    """Head of a stride for things that COCO does not name. Sees the neck's map and the backbone's:
    the neck, which stays as it is, keeps little of a flat mark."""

    def __init__(self, mixed, own, stride):
        super().__init__()
        self.stride = stride
        self.stem = nn.Sequential(Conv(mixed + own, 64), Conv(64, 64, 3))
        self.edge_tower, self.score_tower = separable(64, 64), separable(64, 64)
        self.edges, self.scores = nn.Conv2d(64, 4, 1), nn.Conv2d(64, 1, 1)
        nn.init.constant_(self.scores.bias, -4.5)
        nn.init.constant_(self.edges.bias, 1.0)

    def forward(self, mixed, own):
        """Returns distances of the four edges from each cell's middle, in pixels, and a score
        before the sigmoid."""
        x = self.stem(torch.cat((mixed, own), 1))
        return self.edges(self.edge_tower(x)).clamp(max=5).exp() * self.stride, self.scores(self.score_tower(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.yolox = Yolox(len(COCO))
        self.items = nn.ModuleList(ItemHead(width, width, stride) for width, stride in zip(WIDTHS, STRIDES))
        self.trunk = Trunk()
        self.kinds = Kinds()

    def mixed(self, x):
        """Returns the backbone's map of each stride and the neck's."""
        own = self.yolox.backbone(x)
        return own, self.yolox.neck(*own)

    def find_items(self, own, mixed):
        """Returns a list over strides of (edges, scores before the sigmoid), [batch, 4 or 1, height,
        width]."""
        return [head(*maps) for head, maps in zip(self.items, zip(mixed, own))]

    def boxes(self, own, mixed):
        """Returns [batch, 4 + classes, cells]: middle and size in pixels, scores after the sigmoid.
        First the cells of COCO's classes, then those of items."""
        named = [torch.cat((boxes, torch.zeros_like(scores[:, :1]), scores), 1) for boxes, scores in (head(x) for head, x in zip(self.yolox.heads, mixed))]
        items = [items_of(head, *found) for head, found in zip(self.items, self.find_items(own, mixed))]
        return torch.cat((*named, *items), 2)

    def forward(self, x):
        """Returns the export's outputs: the boxes, the trunk's map of the picture as a square, the
        map of kinds, and that square. The server puts each box in its place."""
        crops = F.interpolate(x, size=(CROP, CROP), mode="bilinear", align_corners=False)
        return self.boxes(*self.mixed(x)), self.trunk(crops), self.kinds(x), crops


def items_of(head, edges, scores):
    # Running sums instead of arange: they keep height and width open in the export.
    ones = torch.ones_like(scores)
    x = (ones.cumsum(3) - 0.5) * head.stride
    y = (ones.cumsum(2) - 0.5) * head.stride
    left, top, right, bottom = edges.split(1, 1)
    found = torch.cat((x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom, scores.sigmoid()), 1).flatten(2)
    return torch.cat((found, torch.zeros_like(found[:, :1]).expand(-1, len(COCO), -1)), 1)


def put_together(yolox, kinds, trunk):
    """Returns a network of published parts, and items without training: `yolox` is YOLOX-nano's
    export, `kinds` that of models/embedders/efficientnet_lite.py, `trunk` MobileNetV3-small without its
    classifier or an export whose last convolutions are a trunk."""
    network = Network()
    network.yolox = load_yolox(yolox)
    give(in_order_of_use(network.kinds), convolutions(kinds), kinds)
    targets = in_order_of_use(network.trunk)
    give(targets, convolutions(trunk)[-len(targets) :], trunk)
    return network


def load_export(file):
    """Loads a network with the weights of an export of the same architecture."""
    network = Network()
    give(in_order_of_use(network), convolutions(file), file)
    return network


def load_yolox(file):
    """Loads the published export. Its convolutions are in the order of forward()."""
    network = Yolox(len(COCO))
    give(in_order_of_use(network), convolutions(file), file)
    # RGB 0..1 instead of BGR 0..255: the channels of the stem change places and scale.
    weight = network.stem.conv.weight.data
    network.stem.conv.weight.data = weight.unflatten(1, (4, 3)).flip(2).flatten(1, 2) * 255
    return network


def convolutions(file):
    """Returns (weight, bias) of each convolution of an ONNX file, in order. Also reads float16
    weights that are cast."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(file)).graph
    values = {one.name: torch.from_numpy(numpy_helper.to_array(one).astype("f4")) for one in graph.initializer}
    values.update({node.output[0]: values[node.input[0]] for node in graph.node if node.op_type == "Cast" and node.input[0] in values})
    # Equal values are kept once, and the others refer to them.
    values.update({node.output[0]: values[node.input[0]] for node in graph.node if node.op_type == "Identity" and node.input[0] in values})
    return [tuple(values[name] for name in node.input[1:3]) for node in graph.node if node.op_type == "Conv"]


def give(targets, weights, file):
    if len(weights) != len(targets):
        raise ValueError(f"{file}: {len(weights)} convolutions, {len(targets)} expected")
    for place, (conv, (weight, bias)) in enumerate(zip(targets, weights)):
        if weight.shape != conv.weight.shape:
            raise ValueError(f"{file}: convolution {place} is {tuple(weight.shape)}, {tuple(conv.weight.shape)} expected")
        conv.weight.data, conv.bias.data = weight, bias


def in_order_of_use(network):
    """Returns the convolutions in the order of a run, which is their order in an export."""
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
