"""The title of the terminal's window, borrowed while something is to be said there.

The terminal keeps the title that was there on its stack (XTWINOPS 22 and 23, xterm's control
sequences); one that has no stack falls back to a title of its own, for which an empty one asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, chop_cells

from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CELLS: Final = 60
"""Width of a title at most; tabs show much less."""

KEEP: Final = "\x1b[22;0t"
GIVE_BACK: Final = "\x1b]0;\x07\x1b[23;0t"


class WindowTitle:
    """Shows a title, and gives back the one before.

    Args:
        write: Writes to the terminal, in order.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._is_borrowed = False

    def show(self, text: str) -> None:
        """Show a text, whatever is in it."""
        keep = "" if self._is_borrowed else KEEP
        self._is_borrowed = True
        self._write(f"{keep}\x1b]0;{_shown(text)}\x07")

    def restore(self) -> None:
        """Give back what was there."""
        if self._is_borrowed:
            self._is_borrowed = False
            self._write(GIVE_BACK)


def _shown(text: str) -> str:
    """A text as a title: one line, nothing in it acts, and it is not long."""
    line = sanitize_line(text[: 8 * MAX_CELLS])
    if len(text) <= 8 * MAX_CELLS and cell_len(line) <= MAX_CELLS:
        return line
    return next(iter(chop_cells(line, MAX_CELLS - 1)), "").rstrip() + "…"
