"""Simulates a camera: ground, light, lens, sensor, JPEG."""
import cv2
import numpy as np


def ground(photographs, random, width, height):
    """Returns a part of a photograph, paper of a single colour, or paper that runs from light to
    dark."""
    choice = random.random()
    if choice < 0.7:
        picture = photographs.picture(int(random.integers(len(photographs.rows))))
        side = int(min(picture.shape[:2]) * random.uniform(0.4, 1))
        top, left = (int(random.integers(0, size - side + 1)) for size in picture.shape[:2])
        return cv2.resize(picture[top : top + side, left : left + side], (width, height), interpolation=cv2.INTER_LINEAR)
    color = random.uniform(200, 255) if random.random() < 0.5 else random.uniform(0, 255, 3)
    paper = np.full((height, width, 3), color, np.float32)
    if choice > 0.85:
        paper *= np.linspace(random.uniform(0.5, 1), 1, width, dtype=np.float32)[None, :, None]
    return paper.clip(0, 255).astype(np.uint8)


def lay(canvas, sprite, middle, size, turn):
    """Lays a sprite on the canvas, turned and sheared. Returns the box of the visible part, or None
    where hardly any part is visible."""
    height, width = sprite.shape[:2]
    scale = size / max(height, width)
    angle, shear, stretch = turn
    c, s = np.cos(angle), np.sin(angle)
    linear = np.array([[c, -s], [s, c]]) @ np.array([[1, shear], [0, stretch]]) * scale
    if scale < 0.5:
        # The warp reads four pixels only. Shrinking first keeps small sprites from breaking up.
        sprite = cv2.resize(sprite, (max(1, int(width * scale * 1.5)), max(1, int(height * scale * 1.5))), interpolation=cv2.INTER_AREA)
        linear = linear @ np.diag([width / sprite.shape[1], height / sprite.shape[0]])
        height, width = sprite.shape[:2]
    shift = np.array(middle) - linear @ np.array([width / 2, height / 2])
    corners = linear @ np.array([[0, width, width, 0], [0, 0, height, height]]) + shift[:, None]
    high, wide = canvas.shape[:2]
    left, top = np.floor(corners.min(1)).astype(int)
    right, bottom = np.ceil(corners.max(1)).astype(int)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(wide, right), min(high, bottom)
    if x1 - x0 < 6 or y1 - y0 < 6:
        return None
    matrix = np.hstack((linear, (shift - [x0, y0])[:, None]))
    warped = cv2.warpAffine(sprite, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    alpha = warped[:, :, 3:].astype(np.float32) / 255
    part = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = (warped[:, :, :3] * alpha + part * (1 - alpha)).astype(np.uint8)
    seen = alpha[:, :, 0] > 0.15
    columns, rows = np.flatnonzero(seen.any(0)), np.flatnonzero(seen.any(1))
    if len(columns) < 5 or len(rows) < 5:
        return None
    return x0 + columns[0], y0 + rows[0], x0 + columns[-1] + 1, y0 + rows[-1] + 1


def plate(sprite, random):
    """Lays a sprite on a plate of contrasting colour."""
    height, width = sprite.shape[:2]
    alpha = sprite[:, :, 3:].astype(np.float32) / 255
    ink = (sprite[:, :, :3] * alpha).sum() / max(1.0, 3 * alpha.sum())
    color = random.uniform(170, 255, 3) if ink < 128 else random.uniform(0, 90, 3)
    margin = int(max(height, width) * random.uniform(0.06, 0.25))
    laid = np.zeros((height + 2 * margin, width + 2 * margin, 4), np.uint8)
    laid[:, :] = (*color.astype(int), 255)
    laid[margin : margin + height, margin : margin + width, :3] = (sprite[:, :, :3] * alpha + color * (1 - alpha)).astype(np.uint8)
    return laid


def cover(canvas, box, photographs, random, most=0.45):
    """Covers a part of the thing with a colour or a part of another photograph: a block within the
    box, or a block that enters over a side at any angle."""
    high, wide = canvas.shape[:2]
    part = random.uniform(0.08, most)
    corners = (inner_block if random.random() < 0.4 else side_block)(box, part, random)
    left, top = np.maximum(0, np.floor(corners.min(0)).astype(int))
    right, bottom = np.minimum((wide, high), np.ceil(corners.max(0)).astype(int) + 1)
    if right - left < 2 or bottom - top < 2:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners - (left, top)).astype(np.int32), 255, cv2.LINE_AA)
    alpha = mask[:, :, None].astype(np.float32) / 255
    before = random.integers(0, 256, 3) if random.random() < 0.5 else ground(photographs, random, right - left, bottom - top)
    canvas[top:bottom, left:right] = (before * alpha + canvas[top:bottom, left:right] * (1 - alpha)).astype(np.uint8)


def inner_block(box, part, random):
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    across = random.uniform(part, 1.0)
    pw, ph = w * across, h * part / across
    left, top = random.uniform(x0 - 0.1 * w, x1 - 0.9 * pw), random.uniform(y0 - 0.1 * h, y1 - 0.9 * ph)
    return np.array([(left, top), (left + pw, top), (left + pw, top + ph), (left, top + ph)])


def side_block(box, part, random):
    """Returns the four corners of a block; an edge leaves `part` of the box beyond it."""
    x0, y0, x1, y1 = box
    angle = random.uniform(0, 2 * np.pi)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    points = np.stack(np.meshgrid(np.linspace(x0, x1, 15), np.linspace(y0, y1, 15)), -1).reshape(-1, 2)
    far, beside = points @ along, points @ across
    line = np.quantile(far, 1 - part)
    depth = (far.max() - line) * random.uniform(1, 2.5) + 2
    spare = (beside.max() - beside.min()) * random.uniform(0, 0.4, 2)
    ends = beside.min() - spare[0], beside.max() + spare[1]
    return np.array([along * d + across * e for d, e in ((line, ends[0]), (line, ends[1]), (line + depth, ends[1]), (line + depth, ends[0]))])


def expose(picture, random, strength):
    """Changes the colours like another camera: gain of each channel, gamma, contrast, saturation.
    """
    table = np.arange(256, dtype=np.float32)[:, None] / 255
    gain = 1 + strength * random.uniform(-0.12, 0.12, 3)
    gamma = np.exp(strength * random.uniform(-0.35, 0.35))
    contrast = 1 + strength * random.uniform(-0.3, 0.2)
    level = strength * random.uniform(-0.12, 0.12)
    table = (((table**gamma) * gain - 0.5) * contrast + 0.5 + level).clip(0, 1) * 255
    picture = cv2.LUT(picture, table.astype(np.uint8)[:, None, :])
    fade = strength * random.uniform(-0.25, 0.4)
    if abs(fade) > 0.05:
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        picture = cv2.addWeighted(picture, 1 - fade, grey, fade, 0)
    return picture


def photograph(picture, random, strength=1.0):
    """Applies exposure, then the losses of resolution, lens, sensor and JPEG."""
    picture = expose(picture, random, strength)
    height, width = picture.shape[:2]
    if random.random() < 0.5 * strength:
        small = max(0.18, 48 / max(height, width), random.uniform(0.25, 0.9))
        if small < 1:
            picture = cv2.resize(cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA), (width, height), interpolation=cv2.INTER_LINEAR)
    if random.random() < 0.35 * strength:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.6))
    if random.random() < 0.2 * strength:
        picture = motion(picture, random)
    if random.random() < 0.35 * strength:
        noise = random.normal(0, random.uniform(2, 9), (height, width, 1)).astype(np.float32)
        picture = (picture + noise).clip(0, 255).astype(np.uint8)
    if random.random() < 0.5 * strength:
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))])[1], cv2.IMREAD_COLOR)
    return picture


def motion(picture, random):
    length, angle = int(random.integers(3, 8)), random.uniform(0, np.pi)
    kernel = np.zeros((9, 9), np.float32)
    ends = [(int(round(4 + s * length / 2 * np.cos(angle))), int(round(4 + s * length / 2 * np.sin(angle)))) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(picture, -1, kernel / kernel.sum())
