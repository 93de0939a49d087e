"""Writes the held-out test set as ordinary files, with an index of questions and answers.

The shapes are drawn by code of its own, with PIL's plain calls and colour names. Handwriting is
scikit-learn's images from 1500 on, speech the held-out voices, print the held-out fonts.
Another seed makes another set; whoever looks at the errors of one needs a new one to judge by.
Usage: python testset.py FOLDER [COUNT [SEED]]
"""

from __future__ import annotations

import json
import math
import sys
from itertools import zip_longest
from pathlib import Path

import numpy as np
import soundfile
from digits import ALL_OWN, FILTERS, HELD_OUT_START, draw_text, handwriting
from others import draw_other
from pictures import draw
from PIL import Image, ImageDraw
from sound import RATE, lightly, other_sound, spoil
from speech import make
from talk import CANNOT_TELL, NO_PICTURE, NO_SOUND, UNKNOWN

Rng = np.random.Generator
COLOURS = ("red", "green", "lime", "blue", "yellow", "orange", "purple", "black", "white")
PAPERS = ("white", "white", "black", "lightgray", "gray", "beige", "lightblue", "navy", "pink")
SHAPES = ("circle", "square", "triangle", "star", "heart", "cross")
TALK = (
    ("What is the capital of Hungary?", UNKNOWN),
    ("Write a Python function that sorts a dictionary by value", UNKNOWN),
    ("who was the first emperor of rome", UNKNOWN),
    ("Translate 'good morning' into Portuguese.", UNKNOWN),
    ("What's 127 times 43?", UNKNOWN),
    ("How tall is Mount Everest?", UNKNOWN),
    ("Explain how vaccines work", UNKNOWN),
    ("Give me a recipe for goulash", UNKNOWN),
    ("What can you see in this photo?", NO_PICTURE),
    ("Which colour does it have?", NO_PICTURE),
    ("Please transcribe my recording.", NO_SOUND),
    ("What is being said in this clip?", NO_SOUND),
)


def outline(name: str, radius: float) -> list[tuple[float, float]]:
    """Corners of a shape around (0, 0)."""
    if name == "square":
        return [(-radius, -radius), (radius, -radius), (radius, radius), (-radius, radius)]
    if name == "triangle":
        return [(0, -radius), (radius, radius), (-radius, radius)]
    if name == "cross":
        w, r = radius / 3, radius
        return [(-w, -r), (w, -r), (w, -w), (r, -w), (r, w), (w, w),
                (w, r), (-w, r), (-w, w), (-r, w), (-r, -w), (-w, -w)]  # fmt: skip
    if name == "star":
        turns = [math.pi * k / 5 - math.pi / 2 for k in range(10)]
        lengths = [radius if k % 2 == 0 else radius * 0.42 for k in range(10)]
        return [(r * math.cos(t), r * math.sin(t)) for r, t in zip(lengths, turns, strict=True)]
    turns = [2 * math.pi * k / 90 for k in range(90)]
    if name == "heart":
        return [(radius * math.sin(t) ** 3,
                 -radius / 16 * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)))
                for t in turns]  # fmt: skip
    return [(radius * math.cos(t), radius * math.sin(t)) for t in turns]


def plain_shape(rng: Rng) -> tuple[Image.Image, str]:
    """A shape as someone would draw it with PIL: (picture, answer)."""
    width, height = (int(v) for v in rng.integers(80, 900, 2))
    if rng.random() < 0.5:
        height = width
    colour, name = str(rng.choice(COLOURS)), str(rng.choice(SHAPES))
    paper = str(rng.choice(PAPERS))
    while paper == colour or (colour, paper) in {("blue", "navy"), ("black", "navy"), ("white", "beige"),
                                                 ("yellow", "beige"), ("white", "lightgray"), ("white", "lightblue"), ("white", "pink")}:  # fmt: skip
        paper = str(rng.choice(PAPERS))
    picture = Image.new("RGB", (width, height), paper)
    radius = rng.uniform(0.15, 0.45) * min(width, height)
    x, y = (rng.uniform(radius, side - radius) for side in (width, height))
    turn = math.radians(rng.uniform(-20, 20)) if rng.random() < 0.4 else 0.0
    points = [(x + px * math.cos(turn) - py * math.sin(turn), y + px * math.sin(turn) + py * math.cos(turn))
              for px, py in outline(name, radius)]  # fmt: skip
    ImageDraw.Draw(picture).polygon(points, fill=colour)
    said = "green" if colour == "lime" else colour
    return picture, f"{'An' if said == 'orange' else 'A'} {said} {name}."


def plain_digit(rng: Rng, index: int) -> Image.Image:
    """A held-out handwritten digit, enlarged and padded in either polarity."""
    pixels = handwriting()[0][index]
    side = int(rng.integers(32, 500))
    digit = Image.fromarray(pixels).resize((side, side), FILTERS[int(rng.integers(len(FILTERS)))])
    left, top, right, bottom = (int(v) for v in rng.uniform(0, 0.5, 4) * side)
    if rng.random() < 0.3:
        left = top = right = bottom = 0
    picture = Image.new("L", (side + left + right, side + top + bottom), 0)
    picture.paste(digit, (left, top))
    return picture.point(lambda v: 255 - v) if rng.random() < 0.5 else picture


class Index:
    """Collects cases and writes their files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cases: list[dict[str, str]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def picture(self, group: str, picture: Image.Image, ask: str, answer: str) -> None:
        """Adds a picture as PNG."""
        name = f"{len(self.cases):04}.png"
        picture.save(self.folder / name)
        self.add(group, name, ask, answer)

    def sound(self, group: str, samples: np.ndarray, ask: str, answer: str) -> None:
        """Adds a clip as WAV."""
        name = f"{len(self.cases):04}.wav"
        soundfile.write(self.folder / name, samples, RATE)
        self.add(group, name, ask, answer)

    def add(self, group: str, name: str, ask: str, answer: str) -> None:
        """Adds a case."""
        self.cases.append({"group": group, "file": name, "ask": ask, "answer": answer})


def pictures(rng: Rng, index: Index, count: int) -> None:
    """The picture groups."""
    for _ in range(count):
        picture, answer = plain_shape(rng)
        index.picture("shape and colour", picture, "What is in the picture?", answer)
    for _ in range(count // 2):
        item = draw(rng, mix={"shape": 1.0})
        article = "An" if item.colour == "orange" else "A"
        answer = f"{article} {item.colour} {item.shape}."
        index.picture("shape and colour, hard", item.picture, "What do you see?", answer)
    numbers = rng.permutation(np.arange(HELD_OUT_START, ALL_OWN))[:count]
    for number in numbers:
        answer = str(handwriting()[1][number])
        index.picture(
            "handwritten digit", plain_digit(rng, int(number)), "What digit is this?", answer
        )
    for _ in range(count // 2):
        digit = str(rng.integers(10))
        size = (int(rng.integers(60, 600)), int(rng.integers(60, 600)))
        picture = draw_text(rng, size, digit, held_out=True)
        index.picture("printed digit", picture, "What does it say?", digit)
    for _ in range(count // 2):
        size = (int(rng.integers(60, 600)), int(rng.integers(60, 600)))
        index.picture("other picture", draw_other(rng, size), "What is this?", CANNOT_TELL)


def sounds(rng: Rng, index: Index, count: int) -> None:
    """The sound groups; held-out voices only."""
    for group, change in (("spoken digits", lightly), ("spoken digits, hard", spoil)):
        for _ in range(count if change is lightly else count // 2):
            said = make(rng, "test", 0.0)
            samples = np.clip(change(rng, said.samples / 32768), -1, 1)
            index.sound(group, samples, "What do you hear?", said.label)
    for number in range(count // 3):
        samples = other_sound(rng) if number % 2 else make(rng, "test", 1.0).samples / 32768
        index.sound("other sound", lightly(rng, samples), "Transcribe the audio.", CANNOT_TELL)


def main() -> None:
    """Writes the test set."""
    index = Index(Path(sys.argv[1]))
    count, seed = (
        int(given) if given else usual
        for given, usual in zip_longest(sys.argv[2:4], (200, 20261125))
    )
    rng = np.random.default_rng(seed)
    pictures(rng, index, count)
    sounds(rng, index, count)
    for ask, answer in TALK:
        index.add("talk", "", ask, answer)
    (index.folder / "index.json").write_text(json.dumps(index.cases, indent=1))


if __name__ == "__main__":
    main()
