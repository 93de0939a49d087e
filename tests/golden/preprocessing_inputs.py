"""Inputs of the preprocessing goldens, the same for the script that writes them and the tests.

Everything is drawn from seeded numpy generators; only the reference's answers are stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUDGETS = (70, 140, 280, 560, 1120)

PICTURES = (
    *(
        ("RGB", width, height)
        for width, height in ((1, 1), (3, 3), (48, 48), (640, 480), (37, 1999))
    ),
    *(
        ("RGB", width, height)
        for width, height in ((1024, 768), (2000, 15), (123, 457), (960, 672))
    ),
    *((mode, 200, 131) for mode in ("RGBA", "L", "LA", "P", "1", "CMYK")),
)
"""Mode, width and height; every one is tried with every budget."""

CLIP_LENGTHS = (161, 320, 4_800, 16_000, 52_800, 160_000, 480_000)

KINDS = ("noise", "sweep", "silence")


def sizes() -> NDArray[np.int64]:
    """[about 1000, 2] widths and heights, many of them extreme or close to a rounding boundary."""
    rng = np.random.default_rng(1)
    # with the first two the reference's doubles round down where exact roots would not
    odd = [(11, 385), (22, 385), (385, 11), (1, 1), (1, 2), (1, 70), (1, 1121), (30, 4000)]
    extreme = [(1, 10**k) for k in range(9)] + [(10**k, 3) for k in range(8)]
    grid = [(48 * a, 48 * b) for a in range(1, 16) for b in range(1, 16)]
    usual = [
        (w, h) for w in (320, 640, 800, 1024, 1280, 1920, 3024, 4032) for h in (240, 768, 4000)
    ]
    spread = np.rint(10 ** rng.uniform(0, 4, (700, 2))).astype(np.int64)
    return np.concatenate([np.array(odd + extreme + grid + usual, np.int64), spread])


def clip_lengths() -> list[int]:
    """About 500 lengths in samples, from none to beyond 30 s, dense around the steps."""
    rng = np.random.default_rng(2)
    steps = [step * 640 + offset for step in range(1, 30) for offset in (-1, 0, 1, 160, 161)]
    ends = [479_840, 479_841, 479_999, 480_000, 480_001, 500_000, 960_000]
    random = rng.integers(0, 480_000, 150).tolist()
    return [*range(0, 1_600, 9), *range(158, 164), *steps, *ends, *random]


def picture(mode: str, width: int, height: int) -> Image.Image:
    """A smooth pattern under noise, in the given Pillow mode."""
    rng = np.random.default_rng([width, height])
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 3 + y * k * 2 + 40 * k) % 256 for k in range(4)]
    noise = rng.integers(-30, 31, (height, width, 4))
    four = np.clip(np.stack(planes, axis=-1) + noise, 0, 255).astype(np.uint8)
    match mode:
        case "RGB":
            return Image.fromarray(np.ascontiguousarray(four[..., :3]))
        case "RGBA":
            return Image.fromarray(four)
        case "L" | "P":
            plain = Image.fromarray(np.ascontiguousarray(four[..., 0]))
            if mode == "P":
                plain.putpalette(rng.integers(0, 256, 768).astype(np.uint8).tobytes())
            return plain
        case "LA":
            bands = (Image.fromarray(np.ascontiguousarray(four[..., k])) for k in (0, 3))
            return Image.merge("LA", tuple(bands))
        case "1":
            return Image.fromarray(four[..., 0] > 127)
        case _:
            bands = (Image.fromarray(np.ascontiguousarray(four[..., k])) for k in range(4))
            return Image.merge("CMYK", tuple(bands))


def clip(kind: str, length: int) -> NDArray[np.float32]:
    """[length] samples at 16 kHz: noise, a rising tone with an envelope, or silence."""
    if kind == "noise":
        return np.random.default_rng(length).uniform(-0.5, 0.5, length).astype(np.float32)
    if kind == "silence":
        return np.zeros(length, np.float32)
    at = np.arange(length) / 16_000
    tone = 0.8 * np.sin(2 * np.pi * (200 + 1_500 * at % 3_000) * at) * np.cos(9 * at)
    return tone.astype(np.float32)


def shown_frames(count: int) -> NDArray[np.int64]:
    """Indices of the mel frames that are stored out of `count`: the first, the last, some between."""
    return np.unique(np.linspace(0, count - 1, 4).astype(np.int64))


def shown_pixels(count: int) -> NDArray[np.int64]:
    """Indices of the pixel values that are stored out of `count`."""
    return np.random.default_rng(count).integers(0, count, 24)
