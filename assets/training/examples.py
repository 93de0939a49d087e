"""Makes the example media: small files to try the program with, none of them trained on.

Usage: python examples.py FOLDER
"""

from __future__ import annotations

import sys
from math import cos, pi, sin
from pathlib import Path

import numpy as np
import soundfile
from digits import ALL_OWN, HELD_OUT_START, handwriting
from PIL import Image, ImageDraw, ImageOps
from speech import HELD_OUT_ACCENT, RATE, speak


def red_circle() -> Image.Image:
    """A red circle on white, drawn four times as large and reduced."""
    picture = Image.new("RGB", (960, 960), "white")
    ImageDraw.Draw(picture).ellipse((200, 180, 760, 740), fill=(220, 30, 30))
    return picture.resize((240, 240), Image.Resampling.LANCZOS)


def blue_star() -> Image.Image:
    """A blue star on yellow paper, wider than high."""
    picture = Image.new("RGB", (1280, 800), (255, 244, 200))
    tips = [(360 if k % 2 == 0 else 150, pi * k / 5 - pi / 2) for k in range(10)]
    points = [(640 + r * cos(t), 420 + r * sin(t)) for r, t in tips]
    ImageDraw.Draw(picture).polygon(points, fill=(30, 60, 220))
    return picture.resize((320, 200), Image.Resampling.LANCZOS)


def handwritten(digit: int) -> Image.Image:
    """The first held-out handwritten digit of this value, dark on light, with a margin."""
    images, labels = handwriting()
    index = next(i for i in range(HELD_OUT_START, ALL_OWN) if labels[i] == digit)
    ink = Image.fromarray(images[index]).resize((192, 192), Image.Resampling.BICUBIC)
    return ImageOps.expand(ImageOps.invert(ink), 32, 255)


def main() -> None:
    """Writes the files."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    red_circle().save(folder / "red-circle.png", optimize=True)
    blue_star().save(folder / "blue-star.png", optimize=True)
    handwritten(7).save(folder / "handwritten-7.png", optimize=True)
    for name, text in (("three-one-four", "three, one, four"), ("nine", "nine")):
        samples = speak(text, HELD_OUT_ACCENT, speed=170, pitch=50)
        quiet = np.zeros(RATE // 10)
        soundfile.write(folder / f"{name}.wav", np.concatenate([quiet, samples, quiet]), RATE)


if __name__ == "__main__":
    main()
