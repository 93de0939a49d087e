"""Finding what the reader looks for in rows as they are drawn. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.tui.transcript.rows import Row

_MARKUP: Final = str.maketrans("", "", "*_`~\\")
"""What Markdown may put between the letters of a word without showing it."""


class Piece(NamedTuple):
    """A part of one row."""

    row: int
    start: int
    """First character, decoration counted."""
    stop: int


Match: TypeAlias = tuple[Piece, ...]
"""One hit; several pieces where it goes over the end of a row."""


class Query:
    """What is looked for: words, in whatever case, with any white space between them.

    Args:
        text: As typed; without a word it matches nothing.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        words = text.split()
        self._shown = _pattern(words)
        bare = [word.translate(_MARKUP) for word in words]
        self._bare = _pattern(bare if all(bare) else [])
        self._is_all_markup = bool(words) and not all(bare)

    def count_in_source(self, text: str) -> int:
        """About how often it will be found in a text once that is drawn; 0 is certain."""
        if self._is_all_markup:
            return len(self._shown.findall(text)) if self._shown else 0
        return len(self._bare.findall(text.translate(_MARKUP))) if self._bare else 0

    def matches(self, rows: Sequence[Row]) -> tuple[Match, ...]:
        """Every hit in rows that stand below each other; decoration is not searched."""
        if self._shown is None:
            return ()
        text, places = _joined(rows)
        found = self._shown.finditer(text)
        return tuple(_pieces(places[hit.start() : hit.end()]) for hit in found)


def _pattern(words: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE) if words else None


def _joined(rows: Sequence[Row]) -> tuple[str, list[tuple[int, int] | None]]:
    """The rows as one text, and where each of its characters is (None: between two rows)."""
    text: list[str] = []
    places: list[tuple[int, int] | None] = []
    for number, row in enumerate(rows):
        if number:
            text.append(row.join)
            places.extend([None] * len(row.join))
        shown = row.text[row.lead :]
        text.append(shown)
        places.extend((number, row.lead + at) for at in range(len(shown)))
    return "".join(text), places


def _pieces(places: Sequence[tuple[int, int] | None]) -> Match:
    found: list[Piece] = []
    for place in places:
        if place is None:
            continue
        row, at = place
        if found and found[-1].row == row:
            found[-1] = found[-1]._replace(stop=at + 1)
        else:
            found.append(Piece(row, at, at + 1))
    return tuple(found)
