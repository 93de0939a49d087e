"""Draws everything the model must not name: blank paper, textures, letters, scribbles, charts...

Ambiguous things (a ring, letters that look like digits, an ellipse that is nearly round) are
left out on purpose.
"""

from __future__ import annotations

import numpy as np
from canvas import (
    COLOURS,
    Colour,
    Rng,
    clouds,
    distance,
    gradient,
    grain,
    lines,
    paper,
    pick_colour,
    pick_paper,
)
from digits import draw_text, smooth
from PIL import Image, ImageDraw
from shapes import MAKERS, SHAPES, draw_named, mask_of, pick_turn, place
from words import OTHER_WORDS

LETTERS = "ACEFGHJKLMNPRTUVWY" + "adefhkmnprtuw" + "?!&%@#$"
Size = tuple[int, int]


def any_colour(rng: Rng) -> Colour:
    """A colour drawn evenly from all."""
    return (int(rng.integers(256)), int(rng.integers(256)), int(rng.integers(256)))


def contrast(rng: Rng, base: Colour) -> Colour:
    """A colour clearly different from another one."""
    while True:
        ink = any_colour(rng)
        if rng.random() < 0.5:
            ink = pick_colour(rng, str(rng.choice(list(COLOURS))))
        if distance(ink, base) > 110:
            return ink


def blank(rng: Rng, size: Size) -> Image.Image:
    """One colour, a gradient, or soft clouds."""
    kind, base = rng.random(), pick_paper(rng)
    if kind < 0.5:
        return paper(rng, size, base, 0.1)
    if kind < 0.8:
        return gradient(rng, size, base, contrast(rng, base))
    return texture(rng, size)


def texture(rng: Rng, size: Size) -> Image.Image:
    """Fractal clouds with full contrast, or plain noise: a stand-in for photographs."""
    base = np.asarray(any_colour(rng), np.float32)
    values = base + clouds(rng, size, rng.uniform(12, 80))
    if rng.random() < 0.5:
        values += grain(rng, size, 3 if rng.random() < 0.5 else 1) * rng.uniform(5, 90)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def scene(rng: Rng, size: Size) -> Image.Image:
    """Textured areas one behind the other, as hills or walls in a photograph."""
    picture = texture(rng, size)
    for _ in range(int(rng.integers(1, 5))):
        xs = np.linspace(0, size[0], 12)
        ys = size[1] * (rng.uniform(0.2, 0.9) + 0.1 * np.cumsum(rng.normal(0, 0.5, 12)))
        mask = Image.new("L", size, 0)
        outline = [*zip(xs, ys, strict=True), (size[0], size[1]), (0, size[1])]
        ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in outline], fill=255)
        if rng.random() < 0.4:
            mask = mask.rotate(float(rng.choice([90, 180, 270])))
        picture.paste(texture(rng, size), mask=mask)
    return picture


def lettering(rng: Rng, size: Size) -> Image.Image:
    """A letter, a word, a few words, or a number of several digits."""
    kind = rng.random()
    if kind < 0.45:
        return draw_text(rng, size, str(rng.choice(list(LETTERS))))
    if kind < 0.7:
        word = str(rng.choice(OTHER_WORDS))
        return draw_text(rng, size, word.upper() if rng.random() < 0.3 else word)
    if kind < 0.82:
        return draw_text(rng, size, str(rng.integers(10, 10000)))
    rows = [
        " ".join(rng.choice(OTHER_WORDS, int(rng.integers(2, 5))))
        for _ in range(rng.integers(2, 7))
    ]
    return draw_text(
        rng, size, "\n".join(rows).replace("\n", "  ") if rng.random() < 0.3 else rows[0]
    )


def scribble(rng: Rng, size: Size) -> Image.Image:
    """Random pen strokes: curls, zigzags, grids of lines."""
    base = pick_paper(rng)
    picture = paper(rng, size, base)
    draw = ImageDraw.Draw(picture)
    ink = contrast(rng, base)
    for _ in range(int(rng.integers(1, 7))):
        points = rng.uniform(0.05, 0.95, (int(rng.integers(5, 14)), 2)) * size
        curve = smooth(points) if rng.random() < 0.7 else points
        lines(draw, curve, max(1.5, min(size) * rng.uniform(0.008, 0.04)), ink)
    return picture


def chart(rng: Rng, size: Size) -> Image.Image:
    """Bars, a line chart, a table or a pattern of stripes or checks."""
    base = pick_paper(rng)
    picture = paper(rng, size, base)
    draw = ImageDraw.Draw(picture)
    width, height = size
    kind = int(rng.integers(4))
    count = int(rng.integers(3, 9))
    ink = contrast(rng, base)
    if kind == 0:
        step = width / count
        for i in range(count):
            top = height * rng.uniform(0.05, 0.9)
            colour = ink if rng.random() < 0.6 else contrast(rng, base)
            draw.rectangle((i * step + step * 0.15, top, (i + 1) * step - 1, height), fill=colour)
    elif kind == 1:
        for _ in range(int(rng.integers(1, 4))):
            xs = np.linspace(0.06, 0.96, count + 3) * width
            ys = height * np.clip(0.5 + np.cumsum(rng.normal(0, 0.15, count + 3)), 0.05, 0.95)
            lines(draw, np.stack([xs, ys], 1), max(1.5, min(size) * 0.012), contrast(rng, base))
        draw.line((width * 0.05, 0, width * 0.05, height * 0.95, width, height * 0.95), fill=ink)
    elif kind == 2:
        for i in range(count + 1):
            draw.line((0, i * height / count, width, i * height / count), fill=ink, width=1)
            draw.line((i * width / count, 0, i * width / count, height), fill=ink, width=1)
    else:
        checks = rng.random() < 0.5
        for i in range(count):
            for j in range(count if checks else 1):
                if (i + j) % 2:
                    bottom = (j + 1) * height / count if checks else height
                    box = (
                        i * width / count,
                        j * height / count if checks else 0,
                        (i + 1) * width / count,
                        bottom,
                    )
                    draw.rectangle(box, fill=ink)
    return picture


def screen(rng: Rng, size: Size) -> Image.Image:
    """Something like a screenshot: a bar, panels, rows of text-like strokes, buttons."""
    dark = rng.random() < 0.5
    base: Colour = (32, 34, 40) if dark else (245, 246, 248)
    picture = Image.new("RGB", size, base)
    draw = ImageDraw.Draw(picture)
    width, height = size
    draw.rectangle((0, 0, width, height * rng.uniform(0.05, 0.14)), fill=any_colour(rng))
    if rng.random() < 0.6:
        draw.rectangle(
            (0, height * 0.1, width * rng.uniform(0.15, 0.35), height), fill=any_colour(rng)
        )
    ink = (210, 210, 215) if dark else (50, 50, 55)
    for row in np.arange(0.18, 0.95, rng.uniform(0.04, 0.09)):
        x = width * rng.choice([0.38, 0.4, 0.45])
        while x < width * rng.uniform(0.5, 0.97):
            length = width * rng.uniform(0.02, 0.1)
            draw.rectangle((x, row * height, x + length, (row + 0.018) * height), fill=ink)
            x += length + width * 0.015
    return picture


def several(rng: Rng, size: Size) -> Image.Image:
    """Two to six shapes or digits at once, apart from each other."""
    base = pick_paper(rng)
    picture = paper(rng, size, base)
    columns = int(rng.integers(2, 4))
    rows = int(rng.integers(1, 3)) if size[1] <= size[0] * 1.2 else columns
    cell = (max(8, size[0] // columns), max(8, size[1] // rows))
    filled = 0
    for row in range(rows):
        for column in range(columns):
            if filled >= 2 and rng.random() < 0.25:
                continue
            points = place(rng, MAKERS[str(rng.choice(SHAPES))](rng), cell, pick_turn(rng, 0.1))
            points = (points - np.array(cell) / 2) * 0.95 + np.array(cell) / 2
            box = (column * cell[0], row * cell[1])
            picture.paste(contrast(rng, base), box, mask_of(rng, points, cell, 0.0))
            filled += 1
    return picture


def polygon(count: int) -> np.ndarray:
    """A regular polygon."""
    turn = np.arange(count) * 2 * np.pi / count - np.pi / 2
    return np.stack([np.cos(turn), np.sin(turn)], 1)


def other_outline(rng: Rng) -> np.ndarray:  # noqa: PLR0911
    """The outline of a shape without a name here: bar, ellipse, arrow, moon, hexagon..."""
    kind = int(rng.integers(8))
    if kind == 0:
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [1, 1 / rng.uniform(2.0, 5)]
    if kind == 1:
        return polygon(64) * [1, 1 / rng.uniform(1.9, 4)]
    if kind == 2:
        neck, head = rng.uniform(0.12, 0.3), rng.uniform(0.0, 0.4)
        return np.array(
            [
                [-1, -neck],
                [head, -neck],
                [head, -0.6],
                [1, 0],
                [head, 0.6],
                [head, neck],
                [-1, neck],
            ]
        )
    if kind == 3:
        turn = np.linspace(-2.2, 2.2, 40)
        outer = np.stack([-np.cos(turn), np.sin(turn)], 1)
        return np.concatenate([outer, outer[::-1] * [0.55, 0.9] + [0.42, 0]])
    if kind == 4:
        return polygon(int(rng.choice([5, 6, 6])))
    if kind == 5:
        skew = rng.uniform(0.5, 0.9)
        return np.array([[-1 + skew, -0.5], [1, -0.5], [1 - skew, 0.5], [-1, 0.5]])
    if kind == 6:
        return np.array([[0, -1], [rng.uniform(0.3, 0.5), 0], [0, 1], [-rng.uniform(0.3, 0.5), 0]])
    return np.array(
        [[-0.3, -1], [0.5, -1], [0.05, -0.25], [0.6, -0.25], [-0.45, 1], [-0.1, 0.05], [-0.6, 0.05]]
    )


def other_shape(rng: Rng, size: Size) -> Image.Image:
    """A single shape that has no name here."""
    return draw_named(rng, size, other_outline(rng), str(rng.choice(list(COLOURS))))


KINDS = (
    (blank, 0.14), (texture, 0.08), (scene, 0.1), (lettering, 0.24), (scribble, 0.1),
    (chart, 0.09), (screen, 0.05), (several, 0.08), (other_shape, 0.12),
)  # fmt: skip


def draw_other(rng: Rng, size: Size) -> Image.Image:
    """Draws a picture that the model must answer with "I can't tell."."""
    index = int(rng.choice(len(KINDS), p=[share for _, share in KINDS]))
    return KINDS[index][0](rng, size)
