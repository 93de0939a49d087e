"""The pictures a file holds, one at a time: a picture is one, a document has pages, a video frames.

Where `Segment.start` leads in a file of each format is told here, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.preprocessing.formats import VIDEO_DECODERS, format_of
from gemma_tui.preprocessing.image import image_pixels
from gemma_tui.preprocessing.source import open_file

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def picture_pixels(path: Path, name: str, budget: int, start: int = 0) -> NDArray[np.uint8]:
    """Decode one picture of a file at the size that the network takes.

    Args:
        path: The file.
        name: What error messages call it.
        budget: The most soft tokens it may cost, one of `TOKEN_BUDGETS`.
        start: Which one, as of `Segment.start`; a mere picture has no other than 0.

    Returns:
        [height, width, 3] red, green, blue; both sides are multiples of 48.

    Raises:
        AttachmentError: There is no such picture, or it cannot be read.
        BudgetError: `budget` is not one of the budgets.
    """
    with open_file(path, name) as file:
        file_format = format_of(file, name)
        if file_format.decoder == "PDF":
            from gemma_tui.preprocessing.pdf import page_pixels  # noqa: PLC0415  # rarely used

            return page_pixels(file, name, start, budget)
    if file_format.decoder in VIDEO_DECODERS:
        from gemma_tui.preprocessing.video import frame_pixels  # noqa: PLC0415  # rarely used

        return frame_pixels(path, name, start, budget)
    return image_pixels(path, name, budget)
