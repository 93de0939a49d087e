"""Paper for the training pictures: colours with names, sizes, backgrounds, wear and tear.

Knows PIL and numpy. Knows nothing of what is drawn on the paper.
"""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Rng = np.random.Generator

COLOURS: dict[str, tuple[Colour, ...]] = {
    "red": ((255, 0, 0), (220, 20, 40), (200, 30, 30), (178, 24, 24), (235, 45, 45)),
    "green": ((0, 128, 0), (0, 255, 0), (34, 139, 34), (50, 205, 50), (0, 165, 70), (30, 150, 40)),
    "blue": ((0, 0, 255), (30, 60, 220), (65, 105, 225), (30, 120, 240), (0, 0, 150)),
    "yellow": ((255, 255, 0), (245, 222, 40), (255, 217, 0), (250, 235, 80)),
    "orange": ((255, 165, 0), (255, 140, 0), (245, 130, 20), (250, 150, 40)),
    "purple": ((128, 0, 128), (125, 35, 160), (148, 0, 211), (160, 32, 240), (102, 40, 150)),
    "black": ((0, 0, 0), (15, 15, 15), (30, 30, 30)),
    "white": ((255, 255, 255), (248, 248, 248), (240, 240, 240)),
}
"""The eight colours that are named, each with the values it is commonly drawn in."""

OTHER_PAPER: tuple[Colour, ...] = (
    (128, 128, 128), (200, 200, 200), (90, 90, 90), (160, 160, 165), (220, 220, 220),
    (250, 170, 200), (120, 200, 210), (0, 255, 255), (120, 75, 40), (245, 235, 210),
    (200, 230, 250), (210, 240, 210), (60, 70, 90), (173, 216, 230), (211, 211, 211),
)  # fmt: skip


def jitter(rng: Rng, colour: Colour, spread: int = 12) -> Colour:
    """Shifts each channel by up to `spread`; one time in three not at all."""
    if spread == 0 or rng.random() < 0.33:
        return colour
    shifted = np.clip(np.add(colour, rng.integers(-spread, spread + 1, 3)), 0, 255)
    return (int(shifted[0]), int(shifted[1]), int(shifted[2]))


def pick_colour(rng: Rng, name: str) -> Colour:
    """Draws a value of a named colour; the first (the canonical one) most often."""
    values = COLOURS[name]
    index = 0 if rng.random() < 0.35 else int(rng.integers(len(values)))
    return jitter(rng, values[index], 6 if name in ("black", "white") else 12)


def distance(one: Colour, other: Colour) -> float:
    """Euclidean distance of two RGB colours."""
    return math.dist(one, other)


def luma(colour: Colour) -> float:
    """Brightness of a colour, 0..255 (Rec. 601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def pick_size(rng: Rng) -> tuple[int, int]:
    """Draws (width, height): mostly 60..400 pixels, sometimes tiny, big or very elongated."""
    kind = rng.random()
    side = float(np.exp(rng.uniform(math.log(60), math.log(400))))
    if kind < 0.06:
        side = rng.uniform(24, 60)
    elif kind < 0.1:
        side = rng.uniform(400, 800)
    ratio, shape = 1.0, rng.random()
    if shape > 0.95:
        ratio = float(np.exp(rng.uniform(-1.386, 1.386)))
    elif shape > 0.5:
        ratio = float(np.exp(rng.normal(0, 0.3)))
    width, height = side * math.sqrt(ratio), side / math.sqrt(ratio)
    return max(12, round(width)), max(12, round(height))


def pick_paper(rng: Rng) -> Colour:
    """Draws a background colour: often white, else black, grey or any colour."""
    kind = rng.random()
    if kind < 0.42:
        return jitter(rng, (255, 255, 255), 8)
    if kind < 0.56:
        return jitter(rng, (0, 0, 0), 8)
    if kind < 0.76:
        return jitter(rng, OTHER_PAPER[int(rng.integers(len(OTHER_PAPER)))], 14)
    if kind < 0.86:
        return pick_colour(rng, str(rng.choice(list(COLOURS))))
    return (int(rng.integers(256)), int(rng.integers(256)), int(rng.integers(256)))


def gradient(rng: Rng, size: tuple[int, int], start: Colour, end: Colour) -> Image.Image:
    """A linear gradient between two colours in a random direction."""
    turn = rng.uniform(0, 2 * math.pi)
    ys, xs = np.mgrid[0:24, 0:24] / 23.0 - 0.5
    along = np.clip((xs * math.cos(turn) + ys * math.sin(turn)) / 1.2 + 0.5, 0, 1)[..., None]
    mixed = np.asarray(start) * (1 - along) + np.asarray(end) * along
    return Image.fromarray(mixed.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)


def clouds(rng: Rng, size: tuple[int, int], amount: float) -> np.ndarray:
    """Fractal noise of standard deviation about `amount`: float [height, width, 3]."""
    total = np.zeros((size[1], size[0], 3), np.float32)
    grey = rng.random() < 0.4
    for octave in range(int(rng.integers(2, 6))):
        cells = 2 ** (octave + 1)
        small = rng.normal(0, 1, (cells, cells, 1 if grey else 3)).astype(np.float32)
        planes = [
            Image.fromarray(small[..., min(c, small.shape[2] - 1)]).resize(
                size, Image.Resampling.BICUBIC
            )
            for c in range(3)
        ]
        total += np.stack([np.asarray(p) for p in planes], -1) * 0.6**octave
    return total * amount


def paper(rng: Rng, size: tuple[int, int], base: Colour, soft: float = 0.2) -> Image.Image:
    """A background of mostly one colour; with chance `soft` a mild gradient or mild clouds."""
    if rng.random() >= soft:
        return Image.new("RGB", size, base)
    if rng.random() < 0.7:
        other = np.clip(np.add(base, rng.integers(-45, 46, 3)), 0, 255)
        return gradient(rng, size, base, (int(other[0]), int(other[1]), int(other[2])))
    cloudy = np.clip(np.asarray(base) + clouds(rng, size, rng.uniform(2, 9)), 0, 255)
    return Image.fromarray(cloudy.astype(np.uint8))


def grain(rng: Rng, size: tuple[int, int], channels: int) -> np.ndarray:
    """Noise of standard deviation one, float32 [height, width, channels], tiled from 160 x 160."""
    tile = rng.standard_normal((160, 160, channels), np.float32)
    across, down = -(-size[0] // 160), -(-size[1] // 160)
    return np.tile(tile, (down, across, 1))[: size[1], : size[0]]


def wear(rng: Rng, picture: Image.Image) -> Image.Image:
    """Sometimes adds noise, blur, JPEG artefacts or a change of light."""
    kind = rng.random()
    if kind < 0.18:
        noise = grain(rng, picture.size, 1 if rng.random() < 0.5 else 3) * rng.uniform(1, 14)
        noisy = np.clip(np.asarray(picture, np.float32) + noise, 0, 255)
        picture = Image.fromarray(noisy.astype(np.uint8))
    elif kind < 0.26:
        radius = rng.uniform(0.3, 0.012 * min(picture.size) + 0.4)
        picture = picture.filter(ImageFilter.GaussianBlur(radius))
    if rng.random() < 0.15:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.integers(25, 95)))
        picture = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")
    return picture


def lines(draw: ImageDraw.ImageDraw, points: np.ndarray, width: float, fill: int | Colour) -> None:
    """Draws a polyline with round joints and ends."""
    flat = [(float(x), float(y)) for x, y in points]
    draw.line(flat, fill=fill, width=max(1, round(width)), joint="curve")
    radius = width / 2
    if radius > 1:
        for x, y in (flat[0], flat[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
