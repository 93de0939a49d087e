"""Training pictures with their labels, cut into patches the way Gemma 4's processor does.

Cell dropout: a tower sees a random part of the 3 x 3-patch cells (cells with content first),
which makes a step cheap and works as augmentation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from canvas import Rng, pick_size, wear
from digits import DEV_START, draw_text, draw_written
from others import draw_other
from PIL import Image
from shapes import draw_shape
from transformers.models.gemma4.image_processing_pil_gemma4 import (
    get_aspect_ratio_preserving_size,
)

MIX = {"shape": 0.27, "written": 0.47, "printed": 0.12, "other": 0.14}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and what is on it; absent facts are empty strings.

    Attributes:
        picture: RGB.
        kind: shape, written, printed or other.
        colour: one of the eight names, for shapes.
        shape: one of the six names, for shapes.
        digit: "0".."9", for digits.
    """

    picture: Image.Image
    kind: str
    colour: str = ""
    shape: str = ""
    digit: str = ""


@dataclass(frozen=True, slots=True)
class Cells:
    """A picture cut into cells of 3 x 3 patches.

    Attributes:
        patches: float32 [cells * 9, 768] in 0..1.
        positions: int64 [cells * 9, 2] as (x, y) of each patch.
    """

    patches: np.ndarray
    positions: np.ndarray


def draw(
    rng: Rng,
    size: tuple[int, int] | None = None,
    limit: int = DEV_START,
    mix: dict[str, float] = MIX,
) -> Labelled:
    """Draws a training picture; scikit-learn's digits below `limit` are used."""
    kind = str(rng.choice(list(mix), p=list(mix.values())))
    size = size or pick_size(rng)
    if kind == "shape":
        picture, colour, shape = draw_shape(rng, size)
        return Labelled(wear(rng, picture), kind, colour=colour, shape=shape)
    if kind == "written":
        picture, digit = draw_written(rng, size, limit)
        return Labelled(wear(rng, picture), kind, digit=digit)
    if kind == "printed":
        digit = str(rng.integers(10))
        return Labelled(wear(rng, draw_text(rng, size, digit)), kind, digit=digit)
    return Labelled(wear(rng, draw_other(rng, size)), kind)


def target_size(size: tuple[int, int], budget: int) -> tuple[int, int]:
    """(width, height) a picture of (width, height) is resized to for a budget of soft tokens."""
    height, width = get_aspect_ratio_preserving_size(size[1], size[0], 16, budget * 9, 3)
    return width, height


def cell_count(size: tuple[int, int], budget: int) -> int:
    """Number of soft tokens of a picture."""
    width, height = target_size(size, budget)
    return (width // 48) * (height // 48)


def cut(picture: Image.Image, budget: int, keep: int = 0, rng: Rng | None = None) -> Cells:
    """Resizes (bicubic) and cuts; `keep` > 0 keeps that many cells, those with content first."""
    width, height = target_size(picture.size, budget)
    rows, columns = height // 48, width // 48
    if 0 < keep < rows * columns and rng is not None:
        thumb = np.asarray(picture.resize((columns * 6, rows * 6), Image.Resampling.NEAREST))
        parts = thumb.reshape(rows, 6, columns, 18).transpose(0, 2, 1, 3)
        spread = parts.reshape(rows * columns, -1).astype(np.float32).std(1)
        score = (spread > 8) * 0.8 + rng.random(rows * columns)
        index = np.sort(np.argsort(-score)[:keep])
        cells = np.stack([one_cell(picture, int(i), rows, columns) for i in index])
    else:
        index = np.arange(rows * columns)
        pixels = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
        cells = pixels.reshape(rows, 48, columns, 48, 3).transpose(0, 2, 1, 3, 4)
    patches = cells.reshape(-1, 3, 16, 3, 16, 3).transpose(0, 1, 3, 2, 4, 5).reshape(-1, 768)
    ys, xs = index // columns, index % columns
    inner = np.stack(np.meshgrid(np.arange(3), np.arange(3)), -1).reshape(1, 9, 2)
    positions = (np.stack([xs, ys], 1)[:, None] * 3 + inner).reshape(-1, 2)
    return Cells(patches.astype(np.float32) / 255, positions)


def one_cell(picture: Image.Image, index: int, rows: int, columns: int) -> np.ndarray:
    """One 48 x 48 cell of the resized picture, without resizing the rest: uint8 [48, 48, 3]."""
    x, y = picture.width / columns, picture.height / rows
    column, row = index % columns, index // columns
    box = (column * x, row * y, (column + 1) * x, (row + 1) * y)
    return np.asarray(picture.resize((48, 48), Image.Resampling.BICUBIC, box=box))


class Supply:
    """Draws pictures; each is used about three times, with other cells and other questions."""

    def __init__(self, rng: Rng, limit: int) -> None:
        self.rng, self.limit = rng, limit
        self.pool: list[Labelled] = []

    def take(self) -> Labelled:
        """A new picture, or one of the last few hundred."""
        if len(self.pool) > 400 and self.rng.random() < 0.66:
            return self.pool[int(self.rng.integers(len(self.pool)))]
        item = draw(self.rng, limit=self.limit)
        if len(self.pool) > 400:
            self.pool[int(self.rng.integers(400))] = item
        else:
            self.pool.append(item)
        return item
