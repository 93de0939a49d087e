"""Pictures and sounds in small, for a terminal that draws with characters.

Decodes as the model's own features do, so what is shown is what the model gets. Knows no screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from gemma_tui.errors import LongSoundError
from gemma_tui.generation import MediaPreview
from gemma_tui.preprocessing.audio import decode_clip
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.image import decode_picture, opaque
from gemma_tui.preprocessing.overview import overview
from gemma_tui.preprocessing.source import decoding, open_file
from gemma_tui.preprocessing.video import is_video_file, typical_frame

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_WIDTH: Final = 48
"""Pixels across: cells of a half-block picture."""

MAX_HEIGHT: Final = 40
"""Pixels down: two to a cell."""

LARGE: Final = 8
"""So many times as much, where the terminal shows pixels: a cell is about 8 across and 16 down."""

LEVELS: Final = 48
"""Parts of a sound."""


def preview(path: Path, name: str, is_large: bool = False) -> MediaPreview:
    """A picture as at most 48 x 40 pixels, a sound as the loudness of 48 equal parts.

    Of a document it is the first page, of a video a frame.

    Args:
        path: The file.
        name: What error messages call it.
        is_large: A picture as at most 384 x 320 pixels.

    Raises:
        AttachmentError: It cannot be read, as `probe` says.
    """
    factor = LARGE if is_large else 1
    with open_file(path, name) as file:
        file_format = format_of(file, name)
        if file_format.decoder == "PDF":
            from gemma_tui.preprocessing.pdf import page_pixels  # noqa: PLC0415  # rarely used

            return _small(Image.fromarray(page_pixels(file, name, 0, TOKEN_BUDGETS[1])), factor)
        if is_video_file(file, file_format, name):
            return _small(typical_frame(path, name), factor)
        if file_format.kind != "image":
            try:
                return _loudness(decode_clip(file, file_format, name))
            except LongSoundError:
                return _loudness(overview(file, file_format, name, LEVELS))
        picture = decode_picture(file, file_format, name)
    with decoding(name):
        return _small(opaque(picture), factor)


def _small(flat: Image.Image, factor: int) -> MediaPreview:
    """A picture in RGB or grey, small enough for characters, or so many times as large."""
    scale = min(factor * MAX_WIDTH / flat.width, factor * MAX_HEIGHT / flat.height, 1.0)
    size = max(1, round(flat.width * scale)), max(1, round(flat.height * scale))
    small = flat.resize(size, Image.Resampling.BOX).convert("RGB")
    return MediaPreview(small.width, small.height, rgb=small.tobytes().hex())


def _loudness(samples: NDArray[np.float32]) -> MediaPreview:
    """Peaks of equal parts of `samples` ([samples] float32 in -1..1), or of levels."""
    parts = np.array_split(np.abs(samples), min(LEVELS, samples.size))
    levels = tuple(round(100 * float(part.max())) for part in parts)
    return MediaPreview(len(levels), levels=levels)
