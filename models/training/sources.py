"""Sources of the identities: photographs with boxes, cut-outs of marks, drawn goods and vehicles,
invented words. An identity gives a picture with alpha for each view."""
import json
import pathlib

import cv2
import numpy as np

# Classes of the boxes of photos.ndjson. An item is a thing that is none of the others.
KINDS = ("item", "person", "bicycle", "car", "motorcycle", "bus", "truck", "animal", "food", "bottle", "bag", "furniture", "electronics")
ITEM = 0
LEAST_SIDE = 40
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)


class Photographs:
    """A folder with photos.ndjson, or any folder of pictures: then each whole picture is a thing.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        listed = self.folder / "photos.ndjson"
        self.rows = [json.loads(line) for line in listed.read_text().splitlines()] if listed.exists() else rows_of(self.folder)
        self.jpegs = [(self.folder / row["path"]).read_bytes() for row in self.rows]

    def picture(self, i):
        """Returns the picture in BGR."""
        picture = cv2.imdecode(np.frombuffer(self.jpegs[i], np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError(f"{self.folder / self.rows[i]['path']}: not a picture that can be read")
        return picture

    def identities(self):
        found = []
        for i, row in enumerate(self.rows):
            group = f"photos {pathlib.PurePath(row['path']).parent}"
            boxes = [one for one in row["boxes"] if one[5] >= 0.4]
            for name, x0, y0, x1, y1, _ in boxes:
                if min(x1 - x0, y1 - y0) * 288 >= LEAST_SIDE:
                    found.append(Crop(i, (x0, y0, x1, y1), KINDS.index(name), group))
            if len(boxes) == 0:
                found.append(Crop(i, (0.0, 0.0, 1.0, 1.0), -1, group))
        return found


def rows_of(folder):
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    if not files:
        raise ValueError(f"{folder}: no pictures")
    return [{"path": str(file.relative_to(folder)), "boxes": []} for file in files]


class Crop:
    """A thing on a photograph: the views are cuttings of the same photograph. `kind` -1: unknown,
    the whole photograph."""

    def __init__(self, photo, box, kind, group):
        self.photo, self.box, self.kind, self.group = photo, box, kind, group

    def cut(self, photographs, random, looseness):
        """Returns a cutting around the thing, and the box of the thing inside the cutting."""
        picture = photographs.picture(self.photo)
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = (v * s for v, s in zip(self.box, (width, height, width, height)))
        w, h = x1 - x0, y1 - y0
        if self.kind < 0:
            looseness = -0.12
        grow = random.uniform(min(0.0, looseness) - 0.06, max(0.0, looseness), 4)
        left, top, right, bottom = (int(v) for v in (max(0, x0 - grow[0] * w), max(0, y0 - grow[1] * h), min(width, x1 + grow[2] * w), min(height, y1 + grow[3] * h)))
        cutting = picture[top : max(bottom, top + 8), left : max(right, left + 8)]
        cut_height, cut_width = cutting.shape[:2]
        inside = (max(0, x0 - left), max(0, y0 - top), min(cut_width, x1 - left), min(cut_height, y1 - top))
        return cutting, inside

    def sprite(self, sources, random, view):
        cutting, _ = self.cut(sources.photographs, random, 0.0)
        return np.dstack((cutting, np.full(cutting.shape[:2], 255, np.uint8)))

    def plain_view(self, sources):
        picture = sources.photographs.picture(self.photo)
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = (int(v * s) for v, s in zip(self.box, (width, height, width, height)))
        return picture[y0 : max(y1, y0 + 8), x0 : max(x1, x0 + 8)]


class Mark:
    """A cut-out of an icon set. A cut-out without a colour gets a random colour, the same in all
    views."""

    kind = 0

    def __init__(self, row, line, group, seed):
        self.row, self.size, self.group = row, (line["width"], line["height"]), group
        self.color = colors(np.random.default_rng(seed))[0] if line["plain"] else None

    def sprite(self, sources, random, view):
        width, height = self.size
        tile = sources.tiles[self.row, :height, :width]
        tile = np.dstack((tile[:, :, 2::-1], tile[:, :, 3]))
        if self.color is not None:
            tile[:, :, :3] = self.color
        return tile

    def plain_view(self, sources):
        return on_ground(self.sprite(sources, None, 0), ground_for(self))


class Drawn:
    """Goods and vehicles of draw-things.ts: each view is a separate drawing."""

    def __init__(self, folder, row, group):
        self.files = [str(folder / file) for file in row["files"]]
        self.kind, self.group = KINDS.index(row["kind"]), group

    def sprite(self, sources, random, view):
        return cv2.imread(self.files[view % len(self.files)], cv2.IMREAD_UNCHANGED)

    def plain_view(self, sources):
        return on_ground(self.sprite(sources, None, 0), (170, 170, 170))


class Word:
    """An invented word mark."""

    kind = 0
    group = "words"
    letters = "BCDFGHKLMNPRSTVXZ", "AEIOUY"

    def __init__(self, seed):
        self.seed = seed

    def sprite(self, sources, random, view):
        own = np.random.default_rng(self.seed)
        word = "".join(own.choice(list(self.letters[i % 2])) for i in range(own.integers(3, 9)))
        word = word if own.random() < 0.5 else word.capitalize() if own.random() < 0.5 else word.lower()
        font, thick = FONTS[own.integers(len(FONTS))], int(own.integers(2, 7))
        (width, height), base = cv2.getTextSize(word, font, 1.8, thick)
        sprite = np.zeros((height + base + 16, width + 16, 4), np.uint8)
        ink, plate = colors(own)
        alpha = np.zeros(sprite.shape[:2], np.uint8)
        cv2.putText(alpha, word, (8, height + 8), font, 1.8, 255, thick, cv2.LINE_AA)
        if own.random() < 0.4:
            sprite[:] = (*plate, 255)
            sprite[:, :, :3] = (sprite[:, :, :3] * (1 - alpha[:, :, None] / 255.0) + np.array(ink) * (alpha[:, :, None] / 255.0)).astype(np.uint8)
        else:
            sprite[:, :, :3], sprite[:, :, 3] = ink, alpha
        return sprite

    def plain_view(self, sources):
        return on_ground(self.sprite(sources, None, 0), ground_for(self))


def colors(random):
    """Returns an ink and a contrasting ground."""
    hue, light = random.integers(0, 180), random.random()
    ink = hsv(hue, random.integers(0, 256), 40 + 215 * light)
    ground = hsv(random.integers(0, 180), random.integers(0, 120), 250 if light < 0.5 else 50)
    return ink, ground


def hsv(hue, saturation, value):
    return tuple(int(v) for v in cv2.cvtColor(np.uint8([[[hue, saturation, value]]]), cv2.COLOR_HSV2BGR)[0, 0])


def ground_for(thing):
    color = getattr(thing, "color", None)
    return (40, 40, 40) if color is not None and sum(color) > 384 else (235, 235, 235)


def on_ground(sprite, color):
    alpha = sprite[:, :, 3:].astype(np.float32) / 255
    margin = max(sprite.shape[:2]) // 12
    laid = (sprite[:, :, :3] * alpha + np.array(color, np.float32) * (1 - alpha)).astype(np.uint8)
    return cv2.copyMakeBorder(laid, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=[int(v) for v in color])


class Sources:
    def __init__(self, photos, cache, words=1500):
        cache = pathlib.Path(cache)
        self.photographs = Photographs(photos)
        self.groups = {}
        for thing in self.photographs.identities():
            self.add(thing)
        if (cache / "marks" / "marks.npy").exists():
            self.tiles = np.load(cache / "marks" / "marks.npy", mmap_mode="r")
            for i, line in enumerate((cache / "marks" / "marks.ndjson").read_text().splitlines()):
                line = json.loads(line)
                self.add(Mark(i, line, f"marks {line['set']}", i))
        if (cache / "things" / "things.ndjson").exists():
            for line in (cache / "things" / "things.ndjson").read_text().splitlines():
                row = json.loads(line)
                name, number = row["name"].rsplit("-", 1)
                # A hundred vehicles share few models, and neighbouring goods are variants of each
                # other: the hardest to tell apart.
                self.add(Drawn(cache / "things", row, f"drawn {name} {int(number) // 100}"))
        for seed in range(words):
            self.add(Word(seed))
        self.things = [thing for group in self.groups.values() for thing in group]
        for i, thing in enumerate(self.things):
            thing.number = i

    def add(self, thing):
        self.groups.setdefault(thing.group, []).append(thing)
