"""Draws the six named shapes in the eight named colours, in many sizes, turns and styles.

Knows geometry. Knows nothing of questions, answers or networks.
"""

from __future__ import annotations

import math

import numpy as np
from canvas import COLOURS, Rng, distance, jitter, paper, pick_colour, pick_paper
from PIL import Image, ImageDraw

SHAPES = ("circle", "square", "triangle", "star", "heart", "cross")


def circle(rng: Rng) -> np.ndarray:
    """A circle, now and then very slightly flattened."""
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    flat = 1.0 if rng.random() < 0.7 else rng.uniform(0.9, 1.1)
    return np.stack([np.cos(turn), np.sin(turn) * flat], 1)


def square(rng: Rng) -> np.ndarray:
    """A square, now and then slightly stretched or with rounded corners."""
    flat = 1.0 if rng.random() < 0.7 else rng.uniform(0.86, 1.16)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    if rng.random() < 0.12:
        corners = rounded(corners, rng.uniform(0.05, 0.25))
    return corners * [0.88, 0.88 * flat]


def rounded(corners: np.ndarray, radius: float) -> np.ndarray:
    """Cuts each corner of a polygon by a quadratic curve."""
    points = []
    for before, corner, after in zip(
        np.roll(corners, 1, 0), corners, np.roll(corners, -1, 0), strict=True
    ):
        start, end = corner + (before - corner) * radius, corner + (after - corner) * radius
        points += [
            (1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t * t * end
            for t in np.linspace(0, 1, 6)
        ]
    return np.array(points)


def triangle(rng: Rng) -> np.ndarray:
    """Equilateral, isosceles, right-angled or free."""
    kind = rng.random()
    if kind < 0.4:
        points = np.array([[0, -1], [0.866, 0.5], [-0.866, 0.5]])
    elif kind < 0.75:
        half, top = rng.uniform(0.55, 1.1), rng.uniform(0.7, 1.1)
        points = np.array([[0, -top], [half, 0.8], [-half, 0.8]])
    elif kind < 0.88:
        points = np.array([[-0.8, -0.9], [0.9, 0.8], [-0.8, 0.8]])
        points = points * [rng.choice([-1, 1]), rng.choice([-1, 1])]
    else:
        turn = rng.uniform(-0.35, 0.35, 3) + np.arange(3) * 2 * np.pi / 3
        points = np.stack([np.cos(turn), np.sin(turn)], 1)
    if rng.random() < 0.15:
        points = -points
    return points


def star(rng: Rng) -> np.ndarray:
    """A five-pointed star, thin to fat; sometimes with four, six or eight points."""
    tips = 5 if rng.random() < 0.9 else int(rng.choice([6, 8]))
    inner = rng.uniform(0.34, 0.55) if tips == 5 else rng.uniform(0.4, 0.58)
    turn = np.arange(2 * tips) * np.pi / tips - np.pi / 2
    radius = np.where(np.arange(2 * tips) % 2 == 0, 1, inner)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1)


def cross(rng: Rng) -> np.ndarray:
    """A plus or an x with arms from thin to thick; sometimes a longer lower arm."""
    w = rng.uniform(0.1, 0.38)
    arms = [[-w, -1], [w, -1], [w, -w], [1, -w], [1, w], [w, w], [w, 1], [-w, 1], [-w, w]]
    points = np.array([*arms, [-1, w], [-1, -w], [-w, -w]])
    if rng.random() < 0.25:
        turn = math.pi / 4
        points = points @ np.array(
            [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
        )
    elif rng.random() < 0.12:
        points[:, 1] = np.where(points[:, 1] == 1, 1.6, points[:, 1])
        points = (points - [0, 0.3]) * 0.8
    return points


def heart(rng: Rng) -> np.ndarray:
    """One of four usual constructions of a heart."""
    kind = rng.random()
    t = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    if kind < 0.4:
        x, y = 16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t)
        points = np.stack([x, -(y - np.cos(4 * t))], 1) / 17
    elif kind < 0.75:
        bump = rng.uniform(0.45, 0.52)
        arc = np.linspace(-np.pi, rng.uniform(0.0, 0.5), 24)
        right = np.stack([0.5 + bump * np.cos(arc), -0.35 + bump * np.sin(arc)], 1)
        left = right[::-1] * [-1, 1]
        points = np.concatenate([left, right, [[0, rng.uniform(0.8, 1.05)]]])
        if rng.random() < 0.5:
            points = np.concatenate([right, [[0, 0.95]], left])
    elif kind < 0.9:
        y = np.sin(t) + np.sqrt(np.abs(np.cos(t))) * rng.uniform(0.7, 0.85)
        points = np.stack([np.cos(t), -(y - 0.3) * 0.72], 1)
    else:
        x = np.sqrt(2) * np.sin(t) ** 3
        y = -(np.cos(t) ** 3) - np.cos(t) ** 2 + 2 * np.cos(t)
        points = np.stack([x * 0.68, -(y + 0.55) * 0.58], 1)
    return points * [rng.uniform(0.88, 1.08), 1.0]


MAKERS = {
    "circle": circle,
    "square": square,
    "triangle": triangle,
    "star": star,
    "heart": heart,
    "cross": cross,
}


def place(rng: Rng, points: np.ndarray, size: tuple[int, int], turn: float) -> np.ndarray:
    """Turns, scales (12..95 % of the smaller side) and places an outline in the picture."""
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    points = points @ rotation.T
    low, high = points.min(0), points.max(0)
    share = rng.uniform(0.12, 0.3) if rng.random() < 0.1 else rng.uniform(0.3, 0.95)
    share = max(share, min(0.9, 16 / min(size)))
    if rng.random() < 0.05:
        share = rng.uniform(0.95, 1.0)
    points = (points - (low + high) / 2) * (share * min(size) / float((high - low).max()))
    half = (points.max(0) - points.min(0)) / 2
    room = np.maximum(np.array(size) / 2 - half, 0)
    shift = rng.uniform(-1, 1, 2) * room if rng.random() < 0.65 else np.zeros(2)
    return points + np.array(size) / 2 + shift


def pick_turn(rng: Rng, free: float) -> float:
    """Draws a rotation in radians: none, within 25 degrees, or any."""
    kind = rng.random()
    if kind < free:
        return float(rng.uniform(-math.pi, math.pi))
    return 0.0 if kind < 0.5 else float(np.radians(rng.uniform(-25, 25)))


def mask_of(rng: Rng, points: np.ndarray, size: tuple[int, int], stroke: float) -> Image.Image:
    """Fills (stroke 0) or outlines the polygon on an 8-bit mask, antialiased or not."""
    scale = 1 if rng.random() < 0.25 else 2 if max(size) > 250 else 3
    mask = Image.new("L", (size[0] * scale, size[1] * scale), 0)
    draw = ImageDraw.Draw(mask)
    flat = [(float(x) * scale, float(y) * scale) for x, y in points]
    if stroke:
        width = max(2, round(stroke * scale))
        draw.line([*flat, flat[0], flat[1]], fill=255, width=width, joint="curve")
    else:
        draw.polygon(flat, fill=255)
    return mask if scale == 1 else mask.reduce(scale)


def draw_shape(rng: Rng, size: tuple[int, int]) -> tuple[Image.Image, str, str]:
    """Draws a shape: (picture, colour, shape)."""
    name, colour = str(rng.choice(SHAPES)), str(rng.choice(list(COLOURS)))
    return draw_named(rng, size, MAKERS[name](rng), colour), colour, name


def draw_named(rng: Rng, size: tuple[int, int], outline: np.ndarray, colour: str) -> Image.Image:
    """Draws an outline in a named colour on paper of another colour."""
    value, base = pick_colour(rng, colour), pick_paper(rng)
    while distance(value, base) < 110:
        base = pick_paper(rng)
    picture = paper(rng, size, base)
    points = place(rng, outline, size, pick_turn(rng, 0.12))
    extent = float((points.max(0) - points.min(0)).max())
    stroke = extent * rng.uniform(0.07, 0.14) if rng.random() < 0.07 else 0.0
    fill: Image.Image = Image.new("RGB", size, value)
    if rng.random() < 0.1:
        fill = Image.blend(fill, paper(rng, size, jitter(rng, value, 25), 1.0), 0.6)
    picture.paste(fill, mask=mask_of(rng, points, size, stroke))
    if not stroke and rng.random() < 0.09:
        edge = (0, 0, 0) if rng.random() < 0.7 else jitter(rng, (90, 90, 90), 60)
        width = max(1.0, extent * rng.uniform(0.005, 0.03))
        picture.paste(edge, mask=mask_of(rng, points, size, width))
    return picture
