"""Makes batches in which every identity appears exactly twice, in different pictures."""
import numpy as np

import camera
from sources import ITEM, Crop, Drawn

PAD = 114
SIZES = (256, 288, 320, 320, 352, 416, 416, 512, 640)
SCENE_SIZES = (224, 288, 352, 416, 416, 512)


class Picture:
    def __init__(self, side):
        self.pixels = np.full((side, side, 3), PAD, np.uint8)
        self.boxes, self.ignored, self.rois = [], [], []

    def tell(self, thing, box, roi, offset):
        """Records a thing's box for the item heads and the box for its vector. Other things of
        photographs are not theirs to find: COCO's heads know them."""
        box, roi = (tuple(v + offset[i % 2] for i, v in enumerate(one)) for one in (box, roi))
        if thing.kind == ITEM or isinstance(thing, Drawn):
            self.boxes.append((ITEM, *box))
        else:
            self.ignored.append(box)
        self.rois.append((thing.number, *roi))


def turn_of(thing, random):
    """Returns angle, shear, stretch. Marks sometimes turn in any direction. Photographs and things
    that stand on the ground hardly turn."""
    wide = 0.4 if thing.kind == 0 and not isinstance(thing, (Crop, Drawn)) else 0.06
    angle = random.uniform(-np.pi, np.pi) if random.random() < wide * 0.5 else random.uniform(-0.6, 0.6) if random.random() < wide else random.uniform(-0.25, 0.25) if wide > 0.1 else random.uniform(-0.08, 0.08)
    return angle, random.uniform(-0.15, 0.15), random.uniform(0.85, 1.15)


def loosen(box, random, most, within):
    """Returns a box with a detector's inaccuracy."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    shift = random.uniform(-most, most, 4)
    loose = max(0, x0 + shift[0] * w), max(0, y0 + shift[1] * h), min(within[0], x1 + shift[2] * w), min(within[1], y1 + shift[3] * h)
    return loose if loose[2] - loose[0] > 4 and loose[3] - loose[1] > 4 else box


def fill_cell(picture, thing, view, sources, random, left, top, side):
    """Draws a thing as a separate picture, letterboxed into a square cell in the server's way."""
    if isinstance(thing, Crop):
        cutting, box = thing.cut(sources.photographs, random, random.choice([0.02, 0.15, 0.4]))
    else:
        aspect = np.exp(random.uniform(-0.35, 0.35))
        wide, high = (side, int(side / aspect)) if aspect > 1 else (int(side * aspect), side)
        cutting = camera.ground(sources.photographs, random, wide, high)
        size = max(wide, high) * random.uniform(0.7, 1.05) if isinstance(thing, Drawn) else min(wide, high) * random.uniform(0.55, 1.05)
        sprite = thing.sprite(sources, random, view)
        if thing.kind == 0 and not isinstance(thing, Drawn) and random.random() < 0.5:
            sprite = camera.plate(sprite, random)
        box = camera.lay(cutting, sprite, (wide * random.uniform(0.42, 0.58), high * random.uniform(0.42, 0.58)), size, turn_of(thing, random))
        box = box or (0, 0, wide, high)
    if random.random() < 0.2:
        camera.cover(cutting, box, sources.photographs, random)
    height, width = cutting.shape[:2]
    scale = side / max(height, width)
    new = max(8, round(width * scale)), max(8, round(height * scale))
    if max(height, width) > 1.5 * side:
        cutting = camera.cv2.resize(cutting, new, interpolation=camera.cv2.INTER_AREA)
    else:
        cutting = camera.cv2.resize(cutting, new, interpolation=camera.cv2.INTER_LINEAR)
    cutting = camera.photograph(cutting, random)
    x, y = left + (side - new[0]) // 2, top + (side - new[1]) // 2
    picture.pixels[y : y + new[1], x : x + new[0]] = cutting
    box = tuple(v * scale for v in box)
    roi = (0, 0, *new) if random.random() < 0.6 else loosen(box, random, 0.1, new)
    picture.tell(thing, box, roi, (x, y))


def fill_scene(picture, things, view, sources, random, side):
    """Draws several things on a common ground, in places that do not overlap."""
    pixels = camera.ground(sources.photographs, random, side, side)
    grid = 2 if len(things) <= 4 else 3
    slot = side / grid
    places = random.permutation(grid * grid)[: len(things)]
    told = []
    for thing, place in zip(things, places):
        sprite = thing.sprite(sources, random, view)
        if thing.kind == 0 and not isinstance(thing, (Crop, Drawn)) and random.random() < 0.4:
            sprite = camera.plate(sprite, random)
        size = max(34, slot * random.uniform(0.4, 0.95))
        middle = [slot * (k + 0.5) + random.uniform(-0.5, 0.5) * max(0, slot - size) for k in (place % grid, place // grid)]
        box = camera.lay(pixels, sprite, middle, size, turn_of(thing, random))
        if box is not None:
            if random.random() < 0.4:
                camera.cover(pixels, box, sources.photographs, random)
            told.append((thing, box))
    picture.pixels[:] = camera.photograph(pixels, random)
    for thing, box in told:
        picture.tell(thing, box, loosen(box, random, 0.08, (side, side)), (0, 0))


# Numbers among sixteen pictures: pictures of a single thing, of four separate things, and of four
# or five things on a common ground.
SINGLE, QUARTERS, SCENES, IN_SCENE = 3, 7, 6, 4
HALF = SINGLE + QUARTERS + SCENES
IDENTITIES = SINGLE + 4 * QUARTERS + IN_SCENE * SCENES
LEAST_OF_A_GROUP = 8
SHARES = {"marks": 0.36, "photos": 0.44, "drawn": 0.2}


def pick_things(sources, random):
    """Picks identities in runs of the same group, so that the batch holds things that are easily
    confused."""
    kinds = {"marks": [], "photos": [], "drawn": []}
    for name, group in sources.groups.items():
        if len(group) >= LEAST_OF_A_GROUP:
            kinds["marks" if name.startswith(("marks", "words")) else name.split()[0]].append(name)
    present = [kind for kind in kinds if kinds[kind]]
    shares = np.array([SHARES[kind] for kind in present])
    if sum(len(sources.groups[name]) for kind in present for name in kinds[kind]) < 2 * IDENTITIES:
        raise ValueError(f"at least {2 * IDENTITIES} things in groups of {LEAST_OF_A_GROUP} or more are needed")
    picked = {}
    while len(picked) < IDENTITIES:
        kind = random.choice(present, p=shares / shares.sum())
        names = kinds[kind]
        weights = np.array([len(sources.groups[name]) for name in names], float) ** 0.6
        group = sources.groups[random.choice(names, p=weights / weights.sum())]
        for i in random.choice(len(group), min(len(group), 11), replace=False):
            picked[group[i].number] = group[i]
    things = list(picked.values())[:IDENTITIES]
    return [things[i] for i in random.permutation(len(things))]


def make_half(sources, things, view, side, random):
    order = [things[i] for i in random.permutation(len(things))]
    pictures = [Picture(side) for _ in range(HALF)]
    for picture in pictures[:SINGLE]:
        fill_cell(picture, order.pop(), view, sources, random, 0, 0, side)
    for picture in pictures[SINGLE : SINGLE + QUARTERS]:
        for corner in range(4):
            fill_cell(picture, order.pop(), view, sources, random, (corner % 2) * (side // 2), (corner // 2) * (side // 2), side // 2)
    for picture in pictures[SINGLE + QUARTERS :]:
        fill_scene(picture, [order.pop() for _ in range(IN_SCENE)], view, sources, random, side)
    return pictures


def make_batch(sources, seed):
    """Pixels u8 RGB [n, side, side, 3]; rois [m, 6]: identity, picture, box; boxes [k, 6]: picture,
    class, box; ignored [j, 5]."""
    random = np.random.default_rng(seed)
    side = int(random.choice(SIZES))
    things = pick_things(sources, random)
    view = int(random.integers(4))
    return tables_of(make_half(sources, things, view, side, random) + make_half(sources, things, view + 1 + int(random.integers(3)), side, random))


def make_scenes(sources, seed):
    """The same with each identity once: boxes are learned from single pictures."""
    random = np.random.default_rng(seed)
    side = int(random.choice(SCENE_SIZES))
    return tables_of(make_half(sources, pick_things(sources, random), int(random.integers(4)), side, random))


def tables_of(pictures):
    rois = [(roi[0], n, *roi[1:]) for n, picture in enumerate(pictures) for roi in picture.rois]
    boxes = [(n, *box) for n, picture in enumerate(pictures) for box in picture.boxes]
    ignored = [(n, *box) for n, picture in enumerate(pictures) for box in picture.ignored]
    table = lambda rows, width: np.array(rows, np.float32).reshape(-1, width)
    return np.stack([picture.pixels for picture in pictures])[..., ::-1].copy(), table(rois, 6), table(boxes, 6), table(ignored, 5)
