"""Goes from hit to hit through a conversation; looks into a message only when it gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.tui.transcript.matching import Query

if TYPE_CHECKING:
    from gemma_tui.tui.transcript.document import Document
    from gemma_tui.tui.transcript.places import Hit


class Finder:
    """The search in one document.

    Args:
        document: Gets the query and the present hit.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._counts: dict[int, int] = {}
        """Hits by the message's place: about, until the message was looked into."""
        self._hits: list[Hit] = []  # of the message that holds the present one
        self._at = 0

    @property
    def is_active(self) -> bool:
        """Whether something is looked for."""
        return bool(self._document.query.text)

    @property
    def total(self) -> int:
        """Hits in the whole conversation."""
        return sum(self._counts.values())

    @property
    def number(self) -> int:
        """Which of them is the present one, counted from 1; 0 if there is none."""
        current = self._document.current
        if current is None:
            return 0
        before = sum(n for index, n in self._counts.items() if index < current.place.entry)
        return before + self._at + 1

    @property
    def message_id(self) -> int | None:
        """The message that holds the present hit."""
        current = self._document.current
        return None if current is None else self._document.message(current.place.entry).id

    def begin(self, text: str, index: int) -> Hit | None:
        """Look for another text, first in the message at `index` and below it, then from the top.

        Returns:
            The first hit.
        """
        document = self._document
        document.query, document.current = Query(text), None
        self._hits, self._counts = [], {}
        for at in range(document.count):
            if count := document.count_in_source(at):
                self._counts[at] = count
        places = [*(at for at in self._counts if at >= index), *self._counts]
        return self._first(places, 1)

    def step(self, direction: int) -> Hit | None:
        """Go to the next (1) or the previous (-1) hit; behind the last one comes the first."""
        current = self._document.current
        if current is None:
            return None
        if 0 <= self._at + direction < len(self._hits):
            return self._go(self._at + direction)
        here, places = current.place.entry, list(self._counts)
        later = [at for at in places if at > here]
        earlier = [at for at in places if at < here]
        if direction > 0:
            return self._first([*later, *earlier, here], direction)
        return self._first([*earlier[::-1], *later[::-1], here], direction)

    def end(self) -> None:
        """Look for nothing any more."""
        self._document.query, self._document.current = Query(""), None
        self._hits, self._counts = [], {}

    def _first(self, places: list[int], direction: int) -> Hit | None:
        for index in places:
            self._document.unfold_matching(index)
            self._hits = self._document.hits(index)
            if self._hits:
                self._counts[index] = len(self._hits)
                return self._go(0 if direction > 0 else len(self._hits) - 1)
            self._counts.pop(index, None)  # its markup matched, not what is shown of it
        self._document.current = None
        return None

    def _go(self, number: int) -> Hit:
        self._at = number
        self._document.current = self._hits[number]
        return self._hits[number]
