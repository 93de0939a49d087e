"""The patches a Gemma 4 vision tower takes, cut from a picture of the right size.

Knows arrays only, so that the engine can do this last step without any decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gemma_tui.preprocessing.budget import PATCH_SIZE, POOLING
from gemma_tui.preprocessing.threads import share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gemma_tui.preprocessing.threads import Part


@dataclass(frozen=True, slots=True, eq=False)
class ImageFeatures:
    """What the vision tower takes, without padding."""

    pixel_values: NDArray[np.float32]
    """[patches, 768]: rows of 16 pixels, each red, green, blue, in 0..1."""
    positions: NDArray[np.int32]
    """[patches, 2]: column and row of each patch."""
    grid: tuple[int, int]
    """Patches across and down; both are multiples of 3."""
    token_count: int
    """Soft tokens it takes in the prompt."""


def cut_patches(pixels: NDArray[np.uint8]) -> ImageFeatures:
    """Cut a picture into patches, row by row, as the reference does.

    Args:
        pixels: [height, width, 3] red, green, blue; both sides are multiples of 48.
    """
    rows, columns = pixels.shape[0] // PATCH_SIZE, pixels.shape[1] // PATCH_SIZE
    by_row = pixels.reshape(rows, PATCH_SIZE, columns, PATCH_SIZE * 3)
    patches = np.empty((rows, columns, PATCH_SIZE, PATCH_SIZE * 3), np.float32)
    by_patch = by_row.transpose(0, 2, 1, 3)

    def scale(part: Part) -> None:
        some = slice(*part)
        # for each of the 256 levels this is the reference's product in float64, rounded once
        np.divide(by_patch[some], np.float32(255), out=patches[some], dtype=np.float32)

    share(scale, rows, most=rows)
    row, column = np.divmod(np.arange(rows * columns, dtype=np.int32), np.int32(columns))
    return ImageFeatures(
        pixel_values=patches.reshape(rows * columns, -1),
        positions=np.stack([column, row], axis=1),
        grid=(columns, rows),
        token_count=rows * columns // POOLING**2,
    )
