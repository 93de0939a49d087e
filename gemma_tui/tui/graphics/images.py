"""Which pictures the terminal has: sent once, the oldest taken back, none left behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gemma_tui.tui.graphics.kitty import MAX_CELLS, Graphic, deleted, sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.generation import MediaPreview

MAX_IMAGES: Final = 64
"""That the terminal keeps at once, up to 370 kB each."""

MAX_ROWS: Final = 20
"""Cells down, as a picture of half blocks has them at most."""


class TerminalImages:
    """Gives pictures to the terminal and takes them back.

    Args:
        write: Writes to the terminal, in order.
        first_id: Where its numbers begin: other programs of the same window have theirs.
    """

    def __init__(self, write: Callable[[str], None], first_id: int) -> None:
        self._write = write
        self._next = first_id
        self._shown: dict[MediaPreview, Graphic] = {}

    def show(self, preview: MediaPreview) -> Graphic:
        """Have the terminal keep a picture; the same is sent once."""
        graphic = self._shown.pop(preview, None)
        if graphic is None:
            while len(self._shown) >= MAX_IMAGES:
                self._write(deleted(self._shown.pop(next(iter(self._shown)))))
            graphic = Graphic(self._new_id(), *_cells(preview))
            self._send(graphic, preview)
        self._shown[preview] = graphic  # the last one used
        return graphic

    def restore(self) -> None:
        """Leave the terminal without any; `resend` brings them back."""
        for graphic in self._shown.values():
            self._write(deleted(graphic))

    def resend(self) -> None:
        """Send again what is shown: the terminal was left for a while."""
        for preview, graphic in self._shown.items():
            self._send(graphic, preview)

    def _send(self, graphic: Graphic, preview: MediaPreview) -> None:
        rgb = bytes.fromhex(preview.rgb)
        self._write(sent(graphic, preview.width, preview.height, rgb))

    def _new_id(self) -> int:
        image_id = self._next
        self._next = image_id % 0xFFFFFF + 1
        return image_id


def _cells(preview: MediaPreview) -> tuple[int, int]:
    """Columns and rows of a picture: those of half blocks, a cell being twice as high as wide."""
    scale = min(MAX_CELLS / preview.width, 2 * MAX_ROWS / preview.height, 1.0)
    return max(1, round(scale * preview.width)), max(1, math.ceil(scale * preview.height / 2))
