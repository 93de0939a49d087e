"""Photographs and recordings that are not ours: they come with the package pygame-ce (LGPL 2.1).

It is installed for tests and never imported: only its example files are read.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

PICTURES: Final = (
    "examples/data/peppers3.tif",
    "docs/generated/_images/camera_rgb.jpg",
    "docs/generated/_images/camera_background.jpg",
    "docs/generated/_images/camera_average.jpg",
    "docs/generated/_images/intro_freedom.jpg",
    "examples/data/animated_sample.gif",
    "examples/data/laplacian.png",
    "examples/data/fist.webp",
    "examples/data/arraydemo.webp",
)
"""A photograph in TIFF, three of a camera, and drawings; none of them is transparent."""

BUDGETS: Final = (70, 280, 1120)

RECORDING: Final = "examples/data/house_lo"
"""The same seven seconds in six formats."""

EFFECTS: Final = ("boom", "car_door", "punch", "secosmic_lo", "whiff")
"""Short recordings, the fourth in ADPCM."""


def foreign(name: str) -> Path | None:
    """Where a file of the package is; None if it is not installed."""
    spec = find_spec("pygame")
    path = Path(spec.origin).parent / name if spec is not None and spec.origin else None
    return path if path is not None and path.is_file() else None
