"""A whole conversation as rows: which row is where, and drawing only those that are seen.

Blocks that nobody has looked at have estimated heights. Knows nothing of Textual.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from gemma_tui.tui.transcript.entry import Entry
from gemma_tui.tui.transcript.labels import welcome
from gemma_tui.tui.transcript.layout import Layout
from gemma_tui.tui.transcript.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gemma_tui.conversation import Message


class Place(NamedTuple):
    """A row, named so that it stays the same row when other rows come and go."""

    entry: int
    block: int
    row: int


class Line(NamedTuple):
    """A row and who wrote it."""

    row: Row
    is_user: bool


class Document:
    """The rows of a conversation at one width."""

    def __init__(self) -> None:
        self.width = 1
        self._layout = Layout()
        self._slots: list[Message | Entry] = []
        self._index: dict[int, int] = {}
        self._tops = [0]
        self._shows_thoughts = False

    def warm_up(self) -> None:
        """Load what drawing needs before it is needed; any thread may do it."""
        self._layout.warm_up()

    @property
    def height(self) -> int:
        """Rows, partly estimated."""
        return self._tops[-1]

    @property
    def is_empty(self) -> bool:
        """Whether there is no message."""
        return not self._slots

    def show(self, messages: Iterable[Message]) -> None:
        """Replace everything."""
        shown = tuple(messages)
        self._slots = list(shown)
        self._index = {message.id: index for index, message in enumerate(shown)}
        self._arrange(0)

    def append(self, message: Message) -> None:
        """Add a message at the end, or take over its new values if it is there."""
        known = self._index.get(message.id)
        if known is None:
            self._index[message.id] = len(self._slots)
            self._slots.append(message)
            self._arrange(len(self._slots) - 1)
        else:
            self.finish(message)

    def entry(self, message_id: int) -> Entry | None:
        """The entry of a message, for adding to it; None if it is not shown."""
        index = self._index.get(message_id)
        return None if index is None else self._open(index)

    def refresh(self, message_id: int) -> None:
        """Draw what was added to a message."""
        index = self._index[message_id]
        self._open(index).refresh()
        self._arrange(index)

    def finish(self, message: Message) -> None:
        """A message's final values."""
        index = self._index.get(message.id)
        if index is None:
            return
        slot = self._slots[index]
        if isinstance(slot, Entry):
            slot.finish(message)
        else:
            self._slots[index] = message
        self._arrange(index)

    def toggle_thoughts(self) -> None:
        """Unfold all thoughts, or fold them again."""
        self._shows_thoughts = not self._shows_thoughts
        for slot in self._slots:
            if isinstance(slot, Entry):
                slot.show_thoughts(self._shows_thoughts)
        self._arrange(0)

    def set_width(self, width: int) -> None:
        """Draw for another width from now on."""
        self.width = max(1, width)
        self._arrange(0)

    def locate(self, y: int) -> Place:
        """The place of row `y`, the nearest one if there is none."""
        y = max(0, min(y, self.height - 1))
        index = min(bisect_right(self._tops, y) - 1, len(self._slots) - 1)
        inside = y - self._tops[index]
        entry = self._open(index)
        block = min(bisect_right(entry.tops, inside) - 1, len(entry.blocks) - 1)
        return Place(index, block, inside - entry.tops[block])

    def position(self, place: Place) -> int:
        """Where a place is now."""
        index = min(place.entry, len(self._slots) - 1)
        entry = self._open(index)
        block = min(place.block, len(entry.blocks) - 1)
        height = entry.tops[block + 1] - entry.tops[block]
        return self._tops[index] + entry.tops[block] + min(place.row, max(0, height - 1))

    def draw(self, top: int, count: int) -> bool:
        """Draw every row from `top` that is not; returns whether heights may have changed."""
        changed = False
        y = top
        while y < min(top + count, self.height):
            place = self.locate(y)
            entry = self._open(place.entry)
            if entry.draw(place.block, self.width, self._layout):
                self._arrange(place.entry)
                changed = True
            y = max(y + 1, self._tops[place.entry] + entry.tops[place.block + 1])
        return changed

    def lines(self, top: int, count: int) -> Iterator[Line]:
        """The rows from `top`, as far as they are drawn; a welcome where there is no message."""
        if self.is_empty:
            rows = [row for leaf in welcome() for row in self._layout.rows(leaf, self.width)]
            yield from (Line(row, is_user=False) for row in rows[top : top + count])
            return
        for y in range(top, min(top + count, self.height)):
            place = self.locate(y)
            entry = self._open(place.entry)
            rows = entry.blocks[place.block].rows
            row = rows[place.row] if place.row < len(rows) else Row()
            is_above = place.block == place.row == 0  # the empty row above a message is nobody's
            yield Line(row, is_user=entry.message.role == "user" and not is_above)

    def _open(self, index: int) -> Entry:
        slot = self._slots[index]
        if not isinstance(slot, Entry):
            slot = self._slots[index] = Entry(slot, shows_thoughts=self._shows_thoughts)
            self._arrange(index)
        return slot

    def _arrange(self, first: int) -> None:
        """Bring the tops of the entries from `first` on up to date."""
        del self._tops[first + 1 :]
        top = self._tops[-1]
        for slot in self._slots[first:]:
            if isinstance(slot, Entry):
                slot.arrange(self.width)
                top += slot.height
            else:
                top += _estimate(slot, self.width)
            self._tops.append(top)


def _estimate(message: Message, width: int) -> int:
    text = message.text
    return 4 + len(message.attachments) + text.count("\n") + len(text) // width
