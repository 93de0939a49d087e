"""Cuts streamed plain text into leaves: what users write, and what the model thinks."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Final

from gemma_tui.tui.transcript.leaves import Leaf, Paragraph
from gemma_tui.tui.transcript.lines import LineCutter
from gemma_tui.tui.transcript.open_leaves import MAX_JOINED

if TYPE_CHECKING:
    from gemma_tui.tui.transcript.lines import Piece

LEAF_LENGTH: Final = 1200
"""Characters after which a leaf is finished."""


class PlainBlocks:
    """Takes text as it streams in and gives back finished leaves; every newline is kept.

    Args:
        style: Name of the style of all of it.
    """

    def __init__(self, style: str = "") -> None:
        self._style = style
        self._lines = LineCutter()
        self._text: str | None = None
        self._joined = 0

    def feed(self, text: str) -> list[Leaf]:
        """Every leaf that `text` finishes."""
        finished: list[Leaf] = []
        for piece in self._lines.feed(text):
            self._take(piece)
            if len(self._text or "") >= LEAF_LENGTH:
                finished.extend(self._leaves())
                goes_on = not piece.ends and self._joined < MAX_JOINED
                self._text, self._joined = None, self._joined + 1 if goes_on else 0
        return finished

    def tail(self) -> list[Leaf]:
        """What comes after the finished leaves."""
        ahead = copy(self)
        if rest := self._lines.rest:
            ahead._take(rest)
        return ahead._leaves()

    close = tail

    def _take(self, piece: Piece) -> None:
        if self._text is None:
            self._text = piece.text
        else:
            self._text += f"\n{piece.text}" if piece.starts else piece.text

    def _leaves(self) -> list[Leaf]:
        if self._text is None:
            return []
        return [Paragraph(self._text, style=self._style, markup=False, joins=self._joined > 0)]
