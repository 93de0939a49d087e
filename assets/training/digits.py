"""Draws single digits: scikit-learn's handwritten ones, own synthetic handwriting, and print.

Only images below `DEV_START` are trained on, below `HELD_OUT_START` watched during training;
the rest is for the published figure alone.
"""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path

import numpy as np
from canvas import Colour, Rng, distance, jitter, lines, luma, paper, pick_colour, pick_paper
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from sklearn.datasets import load_digits

DEV_START = 1300
HELD_OUT_START = 1500
ALL_OWN = 1797
"""Number of scikit-learn's digits; what stands behind them is MNIST's."""

MNIST = os.environ.get("MNIST", "")
"""What `mnist.py` wrote."""

HELD_OUT_FONTS = ("Carlito", "Comfortaa", "FreeSerif", "NotoMono", "C059", "Quicksand")
BAD_FONTS = (
    "Math",
    "Symbol",
    "Dingbat",
    "D050000L",
    "StandardSymbols",
    "EyeBall",
    "GFSDidotClassic",
)
FILTERS = tuple(
    getattr(Image.Resampling, name) for name in ("NEAREST", "BOX", "BILINEAR", "BICUBIC", "LANCZOS")
)

STROKES: dict[int, tuple[str, ...]] = {
    0: ("50,5 20,20 10,50 20,82 50,95 80,82 90,50 80,20 50,5", "60,8 25,15 12,55 30,90 65,90 88,55 75,15 52,6"),
    1: ("50,5 50,35 50,65 50,95", "25,30 40,18 52,5|52,5 52,50 52,95", "30,28 50,6|50,6 50,94|28,94 72,94"),
    2: ("15,28 25,10 50,4 76,12 82,32 68,55 40,75 14,94|14,94 50,93 86,92",
        "18,22 45,5 75,15 72,42 45,72 22,88 18,80 40,80 62,92 86,88"),
    3: ("18,15 48,4 76,16 74,38 44,48|44,48 78,56 82,78 58,95 18,86", "18,6 80,6|80,6 48,42|48,42 80,56 78,82 50,95 18,88"),
    4: ("62,5 38,35 12,66|12,66 50,66 88,66|64,38 64,66 64,96", "22,6 18,34 20,56|20,56 50,56 82,54|78,6 76,50 72,96",
        "68,5 68,50 68,96|68,5 40,36 12,64|12,64 50,64 90,64"),
    5: ("78,6 26,6|26,6 22,44|22,44 52,36 80,52 80,78 54,96 18,86", "26,8 22,44|22,44 55,38 80,58 72,88 42,96 16,86|26,8 80,6"),
    6: ("72,8 40,22 18,56 24,86 52,96 78,82 76,58 50,50 22,66", "60,4 34,32 20,66 34,93 62,93 76,72 58,56 34,64 24,76"),
    7: ("14,8 50,8 84,8|84,8 60,44 42,96", "14,10 50,7 84,8|84,8 60,48 44,96|34,52 80,50", "16,24 18,8 50,8 82,8|82,8 62,50 54,96"),
    8: ("50,50 24,36 26,12 50,5 74,12 76,36 50,50 20,66 22,90 50,96 78,90 80,66 50,50",
        "76,16 50,5 26,18 34,40 62,58 76,80 52,96 26,82 36,60 66,38 77,18"),
    9: ("78,32 54,48 26,38 26,14 52,5 76,16 78,32|78,32 76,62 66,96", "74,20 48,5 24,24 36,46 64,42 76,20|76,20 74,60 46,95 24,88"),
}  # fmt: skip
"""Skeletons in a 100 x 100 box: strokes separated by |, points of each by spaces."""


@cache
def handwriting() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits, and behind them those of MNIST if there are any.

    Returns:
        Images uint8 [1797 + MNIST, 8, 8] in 0..255, and labels.
    """
    data = load_digits()
    images, labels = data.images, data.target
    if MNIST:
        more = np.load(MNIST)
        images = np.concatenate([images, more["images"]])
        labels = np.concatenate([labels, more["labels"]])
    return (images * 255 / 16).round().astype(np.uint8), labels


def some_digit(rng: Rng, limit: int) -> int:
    """The index of a digit to train on: below `limit`, or as often one of MNIST's."""
    count = len(handwriting()[0])
    if count > ALL_OWN and rng.random() < 0.5:
        return int(rng.integers(ALL_OWN, count))
    return int(rng.integers(min(limit, HELD_OUT_START)))


@cache
def fonts(held_out: bool) -> tuple[str, ...]:
    """Paths of the installed fonts of the training or of the held-out families."""
    found = []
    for path in sorted(Path("/usr/share/fonts").rglob("*.[to]tf")):
        if any(bad.lower() in path.name.lower() for bad in BAD_FONTS):
            continue
        if held_out == any(path.name.startswith(name) for name in HELD_OUT_FONTS):
            found.append(str(path))
    return tuple(found)


def smooth(points: np.ndarray) -> np.ndarray:
    """A Catmull-Rom curve through the points."""
    if len(points) < 3:
        return points
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    pieces = []
    for i in range(len(points) - 1):
        a, b, c, d = padded[i : i + 4]
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                   + (3 * b - a - 3 * c + d) * t**3)
        )  # fmt: skip
    return np.concatenate([*pieces, points[-1:]])


def synthetic(rng: Rng, digit: int, side: int) -> Image.Image:
    """A digit written with a round pen on a square mask; sometimes coarsened to 8 x 8."""
    variants = STROKES[digit]
    chosen = variants[0 if rng.random() < 0.45 else int(rng.integers(len(variants)))]
    size = 96
    mask = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(mask)
    width = rng.uniform(4, 13)
    bend = rng.normal(0, 0.04, 2)
    spread = rng.uniform(1.5, 4.5)
    squeeze = np.array([rng.uniform(0.5, 1.0), 1.0])
    for stroke in chosen.split("|"):
        points = np.array([[float(v) for v in pair.split(",")] for pair in stroke.split()])
        points = (points + rng.normal(0, spread, points.shape) - 50) / 100 * squeeze
        points = points + bend * (points[:, ::-1] ** 2) * 2
        lines(draw, smooth(points) * (size - width - 4) + size / 2, width, 255)
    if rng.random() < 0.35:
        mask = mask.resize((8, 8), Image.Resampling.BOX)
        mask = mask.point(lambda v: min(255, round(v * 16 / 255 * 1.15) * 16))
        return mask.resize((side, side), FILTERS[int(rng.integers(len(FILTERS)))])
    return mask.resize((side, side), Image.Resampling.BILINEAR)


def warp(rng: Rng, mask: Image.Image, strength: float) -> Image.Image:
    """A smooth elastic distortion by a 3 x 3 mesh; `strength` is a share of the side."""
    side, steps = mask.width, 3
    grid = np.stack(np.meshgrid(np.arange(steps + 1), np.arange(steps + 1), indexing="xy"), -1)
    grid = grid / steps * side + rng.normal(0, strength * side, (steps + 1, steps + 1, 2))
    mesh = []
    for row in range(steps):
        for column in range(steps):
            corners = (grid[row, column], grid[row + 1, column], grid[row + 1, column + 1],
                       grid[row, column + 1])  # fmt: skip
            box = [round(v * side / steps) for v in (column, row, column + 1, row + 1)]
            mesh.append((tuple(box), tuple(float(v) for corner in corners for v in corner)))
    return mask.transform((side, side), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def lean(rng: Rng, mask: Image.Image) -> Image.Image:
    """Turns, shears, stretches and moves a square mask a little, as another hand would."""
    turn, shear = np.radians(rng.normal(0, 6)), rng.normal(0, 0.1)
    turned = np.array([[math.cos(turn), -math.sin(turn) + shear], [math.sin(turn), math.cos(turn)]])
    matrix = turned * rng.uniform(0.88, 1.14, (2, 1))
    centre = np.full(2, mask.width / 2)
    shift = centre - matrix @ centre + rng.normal(0, 0.03 * mask.width, 2)
    rows = (matrix[0, 0], matrix[0, 1], shift[0], matrix[1, 0], matrix[1, 1], shift[1])
    return mask.transform(mask.size, Image.Transform.AFFINE, rows, Image.Resampling.BILINEAR)


def written(rng: Rng, index: int, side: int) -> Image.Image:
    """One of scikit-learn's digits on a square mask, resampled and distorted."""
    small = Image.fromarray(handwriting()[0][index])
    kind = rng.random()
    if kind < 0.35:
        return small.resize((side, side), FILTERS[int(rng.integers(len(FILTERS)))])
    mask = warp(rng, small.resize((48, 48), Image.Resampling.BICUBIC), rng.uniform(0.0, 0.05))
    if kind < 0.6:
        mask = mask.resize((8, 8), Image.Resampling.BOX)
        mask = mask.point(lambda v: min(255, round(v / 16) * 16))
        return mask.resize((side, side), FILTERS[int(rng.integers(len(FILTERS)))])
    if kind < 0.8:
        level, gain = rng.uniform(60, 150), rng.uniform(1.5, 6)
        mask = mask.resize((96, 96), Image.Resampling.BICUBIC)
        mask = mask.point(lambda v: int(np.clip((v - level) * gain + 128, 0, 255)))
    if rng.random() < 0.15:
        mask = mask.filter(
            ImageFilter.MaxFilter(3) if rng.random() < 0.6 else ImageFilter.MinFilter(3)
        )
    return mask.resize((side, side), Image.Resampling.BILINEAR)


def pick_ink(rng: Rng) -> tuple[Colour, Colour]:
    """Draws (paper, ink): black on white, white on black, or any two that differ clearly."""
    kind = rng.random()
    if kind < 0.4:
        return jitter(rng, (255, 255, 255), 10), jitter(rng, (0, 0, 0), 10)
    if kind < 0.8:
        return jitter(rng, (0, 0, 0), 10), jitter(rng, (255, 255, 255), 10)
    while True:
        base = pick_paper(rng)
        ink = (int(rng.integers(256)), int(rng.integers(256)), int(rng.integers(256)))
        if rng.random() < 0.6:
            ink = pick_colour(
                rng, str(rng.choice(["red", "blue", "black", "green", "white", "purple"]))
            )
        if distance(base, ink) > 120 and abs(luma(base) - luma(ink)) > 45:
            return base, ink


def ink_on_paper(rng: Rng, size: tuple[int, int], mask: Image.Image) -> Image.Image:
    """Puts a digit's mask on paper with padding, a turn, a shear and a stretch."""
    base, ink = pick_ink(rng)
    picture = paper(rng, size, base, 0.15)
    share = rng.uniform(0.22, 0.55) if rng.random() < 0.2 else rng.uniform(0.55, 1.0)
    side = max(8, min(*size, round(share * min(size))))
    width = max(
        6, min(size[0], round(side * (1.0 if rng.random() < 0.75 else rng.uniform(0.65, 1.5))))
    )
    mask = mask.resize((width, side), Image.Resampling.BILINEAR)
    if rng.random() < 0.55:
        turn, shear = np.radians(rng.normal(0, 7)), rng.normal(0, 0.1)
        matrix = np.array(
            [[math.cos(turn), -math.sin(turn) + shear], [math.sin(turn), math.cos(turn)]]
        )
        centre = np.array([width, side]) / 2
        shift = centre - matrix @ centre
        rows = (matrix[0, 0], matrix[0, 1], shift[0], matrix[1, 0], matrix[1, 1], shift[1])
        mask = mask.transform(mask.size, Image.Transform.AFFINE, rows, Image.Resampling.BILINEAR)
    room = (size[0] - width, size[1] - side)
    at = (room[0] // 2, room[1] // 2)
    if rng.random() < 0.6:
        at = (int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1)))
    if rng.random() < 0.25:
        level = rng.uniform(0.75, 1.0)
        mask = mask.point(lambda v: int(v * level))
    picture.paste(ink, at, mask)
    return picture


def draw_written(rng: Rng, size: tuple[int, int], limit: int) -> tuple[Image.Image, str]:
    """A handwritten digit: (picture, digit). Images from 0 to `limit` may be used."""
    side = max(16, min(size))
    if rng.random() < 0.15:
        digit = int(rng.integers(10))
        return ink_on_paper(rng, size, synthetic(rng, digit, side)), str(digit)
    index = some_digit(rng, limit)
    digit = int(handwriting()[1][index])
    if rng.random() < 0.65:
        return enlarged(rng, size, index), str(digit)
    return ink_on_paper(rng, size, written(rng, index, side)), str(digit)


def enlarged(rng: Rng, size: tuple[int, int], index: int) -> Image.Image:
    """One of scikit-learn's digits as it comes, 8 x 8 blocks or smoothed, upright on plain paper.

    Big blocks are what the digits look like when they are simply enlarged; drawn too seldom, they
    were most of the errors. Two of three are distorted before they are blocks.
    """
    small = Image.fromarray(handwriting()[0][index])
    if rng.random() < 0.65:
        large = lean(rng, small.resize((64, 64), Image.Resampling.BICUBIC))
        small = warp(rng, large, rng.uniform(0.0, 0.045)).resize((8, 8), Image.Resampling.BOX)
        small = small.point(lambda v: min(255, round(v / 16) * 16))
    share = 1.0 if rng.random() < 0.35 else rng.uniform(0.45, 1.0)
    side = max(8, round(share * min(size)))
    mask = small.resize((side, side), FILTERS[int(rng.integers(len(FILTERS)))])
    base, ink = pick_ink(rng)
    picture = Image.new("RGB", size, base)
    room = (size[0] - side, size[1] - side)
    at = (int(rng.integers(max(0, room[0]) + 1)), int(rng.integers(max(0, room[1]) + 1)))
    picture.paste(ink, at, mask)
    return picture


def draw_text(rng: Rng, size: tuple[int, int], text: str, held_out: bool = False) -> Image.Image:
    """Writes a text in some font, fitted to 25..100 % of the picture."""
    chosen = fonts(held_out)
    path = chosen[int(rng.integers(len(chosen)))]
    share = rng.uniform(0.2, 0.5) if rng.random() < 0.25 else rng.uniform(0.5, 1.0)
    base, ink = pick_ink(rng)
    font = ImageFont.truetype(path, max(8, round(min(size) * share)))
    left, top, right, bottom = font.getbbox(text)
    width, height = max(1, right - left), max(1, bottom - top)
    fit = min(1.0, size[0] / width, size[1] / height)
    if fit < 1:
        font = ImageFont.truetype(path, max(6, int(min(size) * share * fit * 0.97)))
        left, top, right, bottom = font.getbbox(text)
        width, height = max(1, right - left), max(1, bottom - top)
    picture, mask = paper(rng, size, base, 0.15), Image.new("L", size, 0)
    room = np.maximum(np.array(size) - [width, height], 0)
    at = room / 2 if rng.random() < 0.4 else room * rng.random(2)
    ImageDraw.Draw(mask).text((float(at[0]) - left, float(at[1]) - top), text, font=font, fill=255)
    if rng.random() < 0.35:
        mask = mask.rotate(float(rng.normal(0, 7)), Image.Resampling.BILINEAR)
    picture.paste(ink, mask=mask)
    return picture
