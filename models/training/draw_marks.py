"""Draws the cut-outs of icon sets once: python draw_marks.py FOLDER ICONS_JSON... ->
FOLDER/marks.npy [n, 160, 160, 4] and marks.ndjson."""
import json
import pathlib
import re
import sys

import numpy as np
import resvg_py
from PIL import Image
import io

SIDE = 160
MOST_OF_A_SET = 2500
# The training leaves out the test set of logos, and every brand of the `logos` set from which the
# demo draws its gallery.
TEST_BRANDS = ("adidas apple bmw citroen cocacola coca-cola dhl fedex ferrari ford google heineken hp intel mcdonalds mini nbc nike pepsi porsche puma "
               "redbull red-bull sprite starbucks texaco unicef vodafone yahoo").split()
BRAND_SETS = ("simple-icons", "devicon", "token-branded", "skill-icons", "cib", "fa-brands", "streamline-ultimate-color", "flat-color-icons")


def plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def brand_words(name):
    parts = name.split("-")
    return {plain(name), plain(parts[0]), plain("-".join(parts[:2]))}


def left_out(name, unseen):
    return bool(brand_words(name) & unseen)


def svg_of(icons, name):
    icon = icons["icons"][name]
    width, height = icon.get("width", icons.get("width", 16)), icon.get("height", icons.get("height", 16))
    left, top = icon.get("left", 0), icon.get("top", 0)
    # A set with currentColor has no brand colour. The mark is black here, and each identity gets a
    # colour later.
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" height="{height}" viewBox="{left} {top} {width} {height}">{icon["body"].replace("currentColor", "#000")}</svg>'


def tile_of(svg):
    png = resvg_py.svg_to_bytes(svg_string=svg, width=SIDE)
    picture = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
    box = picture.getchannel("A").getbbox()
    if box is None:
        return None
    picture = picture.crop(box)
    scale = SIDE / max(picture.size)
    picture = picture.resize([max(1, round(v * scale)) for v in picture.size], Image.LANCZOS)
    tile = np.zeros((SIDE, SIDE, 4), np.uint8)
    tile[: picture.size[1], : picture.size[0]] = np.asarray(picture)
    return tile, picture.size


def draw_set(file, unseen):
    icons = json.loads(pathlib.Path(file).read_text())
    prefix = icons["prefix"]
    names = sorted(name for name, icon in icons["icons"].items() if not icon.get("hidden"))
    if prefix in BRAND_SETS:
        names = [name for name in names if not left_out(name, unseen)]
    step = max(1, len(names) / MOST_OF_A_SET)
    names = [names[int(i * step)] for i in range(int(len(names) / step))]
    for name in names:
        drawn = tile_of(svg_of(icons, name))
        if drawn is not None:
            yield drawn[0], {"set": prefix, "name": name, "width": drawn[1][0], "height": drawn[1][1], "plain": "currentColor" in icons["icons"][name]["body"] or "fill" not in icons["icons"][name]["body"]}


def main(folder, unseen_file, *files):
    unseen = {plain(brand) for brand in TEST_BRANDS}
    for name in json.loads(pathlib.Path(unseen_file).read_text())["icons"]:
        unseen |= {plain(name), plain(re.sub(r"(-(icon|dark|light|mono|alt|classic|official|vertical|horizontal|wordmark|original|old|new|20\d\d|\d))+$", "", name))}
    tiles, lines = [], []
    for file in files:
        for tile, line in draw_set(file, unseen):
            tiles.append(tile)
            lines.append(json.dumps(line))
        print(file, len(lines), flush=True)
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    np.save(f"{folder}/marks.npy", np.stack(tiles))
    pathlib.Path(f"{folder}/marks.ndjson").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
