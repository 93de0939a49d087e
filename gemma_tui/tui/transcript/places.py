"""Where something is in a conversation, and what a row shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gemma_tui.tui.transcript.rows import Row
    from gemma_tui.tui.transcript.sections import Block


class Place(NamedTuple):
    """A row, named so that it stays the same row when other rows come and go."""

    entry: int
    block: int
    row: int


class Line(NamedTuple):
    """A row, who wrote it, and what is to be seen on it."""

    row: Row
    is_user: bool
    mark: str = ""
    """Stands before it where it belongs to the chosen message."""
    hits: tuple[tuple[int, int, bool], ...] = ()
    """What is looked for: first character, one after the last, whether it is the present hit."""


class Hit(NamedTuple):
    """One place where the query was found."""

    place: Place
    block: Block
    number: int
    """Which of the block's hits it is."""
