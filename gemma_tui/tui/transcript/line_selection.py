"""Selecting lines with the keyboard: the same selection as the mouse makes, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.selection import Selection

if TYPE_CHECKING:
    from gemma_tui.tui.transcript.document import Document
    from gemma_tui.tui.transcript.view import TranscriptView


class LineSelection:
    """The rows between where it began and where it is.

    Args:
        view: Shows it.
        document: Its rows.
    """

    def __init__(self, view: TranscriptView, document: Document) -> None:
        self._view = view
        self._document = document
        self._anchor = 0
        self._head = 0
        self.is_active = False
        """Whether lines are being selected."""

    def begin(self, y: int) -> None:
        """Select row `y`."""
        self.is_active = True
        self._anchor = self._head = y
        self._show()

    def move(self, direction: int) -> None:
        """Take in the next row (1), or the one above (-1)."""
        self._head = max(0, min(self._document.height - 1, self._head + direction))
        top, height = round(self._view.scroll_y), self._view.size.height
        if not top <= self._head < top + height:
            self._view.scroll_relative(y=direction, animate=False, immediate=True)
        self._show()

    def text(self) -> str | None:
        """What is selected; None if nothing is being selected."""
        if not self.is_active:
            return None
        found = self._view.get_selection(self._selection())
        return found[0] if found else None

    def end(self) -> None:
        """Select nothing any more."""
        if self.is_active:
            self.is_active = False
            self._view.screen.clear_selection()

    def _selection(self) -> Selection:
        first, last = sorted((self._anchor, self._head))
        self._document.draw(last, 1)
        row = next(self._document.lines(last, 1), None)
        end = len(row.row.text) if row else 0
        return Selection(Offset(0, first), Offset(end, last))

    def _show(self) -> None:
        self._view.screen.selections = {self._view: self._selection()}
