"""Cuts a stream of text into lines, and very long lines into pieces.

Where it cuts depends on the text alone, never on how the text arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_LENGTH: Final = 800
"""Characters after which an unfinished line is passed on: it bounds the cost of showing it."""


class Piece(NamedTuple):
    """A line, or a part of a long one."""

    text: str
    starts: bool
    """It begins a line."""
    ends: bool
    """A newline follows."""


class LineCutter:
    """Takes text in whatever pieces it arrives and gives back whole lines."""

    def __init__(self) -> None:
        self._rest = ""
        self._starts = True

    @property
    def rest(self) -> Piece | None:
        """What has arrived of a line that has not ended."""
        if not self._rest:
            return None
        return Piece(self._rest.removesuffix("\r"), self._starts, ends=False)

    def feed(self, text: str) -> Iterator[Piece]:
        """Every line, or piece of a long line, that `text` completes."""
        *lines, rest = (self._rest + text).split("\n")
        for line in lines:
            yield from self._cut(line)
            yield Piece(self._rest.removesuffix("\r"), self._starts, ends=True)
            self._starts = True
        self._rest = ""
        yield from self._cut(rest)

    def _cut(self, line: str) -> Iterator[Piece]:
        """Pass on all of `line` but its last piece, which becomes the rest."""
        start = 0
        while len(line) - start > PIECE_LENGTH:
            yield Piece(line[start : start + PIECE_LENGTH], self._starts, ends=False)
            self._starts = False
            start += PIECE_LENGTH
        self._rest = line[start:]
