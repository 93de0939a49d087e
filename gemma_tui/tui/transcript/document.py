"""A whole conversation as rows: which row is where, and drawing only those that are seen.

Blocks that nobody has looked at have estimated heights. Knows nothing of Textual.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from gemma_tui.conversation import Message, MessageState
from gemma_tui.tui.transcript.entry import Entry
from gemma_tui.tui.transcript.labels import welcome
from gemma_tui.tui.transcript.layout import Layout, estimate_message
from gemma_tui.tui.transcript.matching import Query
from gemma_tui.tui.transcript.places import Hit, Line, Place
from gemma_tui.tui.transcript.rows import Row
from gemma_tui.tui.transcript.sections import searched_in
from gemma_tui.tui.transcript.writers import former_models

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gemma_tui.tui.transcript.matching import Match
    from gemma_tui.tui.transcript.sections import Block, Target


class Document:
    """The rows of a conversation at one width."""

    def __init__(self) -> None:
        self.width = 1
        self.chosen: int | None = None
        """Place in the conversation of the message that is marked."""
        self.query = Query("")
        """What is marked wherever it is found."""
        self.current: Hit | None = None
        """The hit that is marked as the present one."""
        self._layout = Layout()
        self._slots: list[Message | Entry] = []
        self._index: dict[int, int] = {}
        self._forks: dict[int, tuple[int, int]] = {}
        self._formers: dict[int, str] = {}
        self._heights: list[int] = []
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

    @property
    def count(self) -> int:
        """Number of messages."""
        return len(self._slots)

    def show(
        self, messages: Iterable[Message], forks: Mapping[int, tuple[int, int]] | None = None
    ) -> None:
        """Replace everything; what was shown already keeps its rows and folds.

        Args:
            messages: A branch.
            forks: By id of a message with siblings: which of how many it is, counted from 1.
        """
        shown = tuple(messages)
        kept = {slot.message.id: slot for slot in self._slots if isinstance(slot, Entry)}
        self._forks, self._formers = dict(forks or {}), former_models(shown)
        self._slots = [_kept_slot(message, kept.get(message.id)) for message in shown]
        self._index = {message.id: index for index, message in enumerate(shown)}
        self.chosen = self.current = None
        for slot in self._slots:
            if isinstance(slot, Entry):
                slot.set_fork(self._forks.get(slot.message.id, (1, 1)))
                slot.set_former(self._formers.get(slot.message.id, ""))
        self._arrange(0)

    def append(self, message: Message) -> None:
        """Add a message at the end, or take over its new values if it is there."""
        known = self._index.get(message.id)
        if known is None:
            self._index[message.id] = len(self._slots)
            self._slots.append(message)
            self._formers = former_models(map(self.message, range(self.count)))
            self._arrange(len(self._slots) - 1)
        else:
            self.finish(message)

    def set_forks(self, forks: Mapping[int, tuple[int, int]]) -> None:
        """Which messages have siblings now, as for `show`."""
        self._forks = dict(forks)
        for index, slot in enumerate(self._slots):
            if isinstance(slot, Entry):
                slot.set_fork(self._forks.get(slot.message.id, (1, 1)))
                self._heights[index] = -1
        self._arrange(0, anew=False)

    def entry(self, message_id: int) -> Entry | None:
        """The entry of a message, for adding to it; None if it is not shown."""
        index = self._index.get(message_id)
        return None if index is None else self.open(index)

    def index_of(self, message_id: int | None) -> int | None:
        """The place of a message in the conversation; None if it is not shown."""
        return None if message_id is None else self._index.get(message_id)

    def message(self, index: int) -> Message:
        """The message at a place, without what was streamed since."""
        slot = self._slots[index]
        return slot.message if isinstance(slot, Entry) else slot

    def span(self, index: int) -> tuple[int, int]:
        """A message's first row, and the row after its last; partly estimated."""
        return self._tops[index], self._tops[index + 1]

    def refresh(self, message_id: int) -> None:
        """Draw what was added to a message."""
        index = self._index[message_id]
        self.open(index).refresh()
        self.changed(index)

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
        self._formers = former_models(map(self.message, range(self.count)))
        if isinstance(slot, Entry):
            slot.set_former(self._formers.get(message.id, ""))
        self.changed(index)

    def toggle_thoughts(self) -> None:
        """Unfold all thoughts, or fold them again."""
        self._shows_thoughts = not self._shows_thoughts
        for index, slot in enumerate(self._slots):
            if isinstance(slot, Entry):
                slot.show_thoughts(self._shows_thoughts)
                self._heights[index] = -1
        self._arrange(0, anew=False)

    def set_width(self, width: int) -> None:
        """Draw for another width from now on."""
        self.width = max(1, width)
        self._arrange(0)

    def locate(self, y: int) -> Place:
        """The place of row `y`, the nearest one if there is none."""
        y = max(0, min(y, self.height - 1))
        index = min(bisect_right(self._tops, y) - 1, len(self._slots) - 1)
        inside = y - self._tops[index]
        entry = self.open(index)
        block = min(bisect_right(entry.tops, inside) - 1, len(entry.blocks) - 1)
        return Place(index, block, inside - entry.tops[block])

    def position(self, place: Place) -> int:
        """Where a place is now."""
        index = min(place.entry, len(self._slots) - 1)
        entry = self.open(index)
        block = min(place.block, len(entry.blocks) - 1)
        height = entry.tops[block + 1] - entry.tops[block]
        return self._tops[index] + entry.tops[block] + min(place.row, max(0, height - 1))

    def target(self, y: int) -> tuple[int, Target | None]:
        """The place of the message on row `y`, and what a click there folds or shows."""
        place = self.locate(y)
        return place.entry, self.open(place.entry).blocks[place.block].target

    def draw(self, top: int, count: int) -> bool:
        """Draw every row from `top` that is not; returns whether heights may have changed."""
        changed = False
        y = top
        while y < min(top + count, self.height):
            place = self.locate(y)
            entry = self.open(place.entry)
            if entry.draw(place.block, self.width, self._layout):
                self.changed(place.entry)
                changed = True
            y = max(y + 1, self._tops[place.entry] + entry.tops[place.block + 1])
        return changed

    def hits(self, index: int) -> list[Hit]:
        """Every hit of `query` in a message, which is drawn for that; folded parts have none."""
        entry = self.open(index)
        for number in range(len(entry.blocks)):
            entry.draw(number, self.width, self._layout)
        self.changed(index)
        return [
            Hit(Place(index, at, match[0].row), block, number)
            for at, block in enumerate(entry.blocks)
            for number, match in enumerate(self._matches(block))
        ]

    def count_in_source(self, index: int) -> int:
        """About how many hits a message has, without drawing it."""
        slot = self._slots[index]
        if isinstance(slot, Entry):
            return slot.count_in_source(self.query)
        return sum(map(self.query.count_in_source, searched_in(slot)))

    def unfold_matching(self, index: int) -> None:
        """Unfold what hides a hit in a message."""
        if self.open(index).unfold_matching(self.query):
            self.changed(index)

    def lines(self, top: int, count: int) -> Iterator[Line]:
        """The rows from `top`, as far as they are drawn; a welcome where there is no message."""
        if self.is_empty:
            rows = [row for leaf in welcome() for row in self._layout.rows(leaf, self.width)]
            yield from (Line(row, is_user=False) for row in rows[top : top + count])
            return
        for y in range(top, min(top + count, self.height)):
            yield self._line(self.locate(y))

    def _line(self, place: Place) -> Line:
        entry = self.open(place.entry)
        block = entry.blocks[place.block]
        row = block.rows[place.row] if place.row < len(block.rows) else Row()
        is_above = place.block == place.row == 0  # the empty row above a message is nobody's
        mark = ""
        if place.entry == self.chosen and not is_above:
            mark = "▸" if place.block == 0 else "┃"
        current = self.current.number if self.current and self.current.block is block else -1
        hits = tuple(
            (piece.start, piece.stop, number == current)
            for number, match in enumerate(self._matches(block))
            for piece in match
            if piece.row == place.row
        )
        return Line(row, entry.message.role == "user" and not is_above, mark, hits)

    def _matches(self, block: Block) -> tuple[Match, ...]:
        state = (self.query, block.width)
        if self.query.text and block.searched != state:
            block.matches, block.searched = self.query.matches(block.rows), state
        return block.matches if self.query.text else ()

    def open(self, index: int) -> Entry:
        """The entry at a place."""
        slot = self._slots[index]
        if not isinstance(slot, Entry):
            fork, former = self._forks.get(slot.id, (1, 1)), self._formers.get(slot.id, "")
            slot = Entry(slot, shows_thoughts=self._shows_thoughts, fork=fork, former=former)
            self._slots[index] = slot
            self.changed(index)
        return slot

    def changed(self, index: int) -> None:
        """A message has other rows than before."""
        before = self._heights[index] if index < len(self._heights) else -1
        self._heights[index : index + 1] = [self._measure(index)]
        if before != self._heights[index] or len(self._tops) <= index + 1:
            self._stack(index)

    def _arrange(self, first: int, *, anew: bool = True) -> None:
        """Bring the tops of the entries from `first` on up to date."""
        del self._heights[first if anew else len(self._slots) :]
        for index in range(first, len(self._slots)):
            if index == len(self._heights):
                self._heights.append(self._measure(index))
            elif self._heights[index] < 0:
                self._heights[index] = self._measure(index)
        self._stack(first)

    def _stack(self, first: int) -> None:
        del self._tops[first + 1 :]
        top = self._tops[-1]
        for height in self._heights[first:]:
            top += height
            self._tops.append(top)

    def _measure(self, index: int) -> int:
        slot = self._slots[index]
        if isinstance(slot, Entry):
            slot.arrange(self.width)
            return slot.height
        return estimate_message(slot, self.width)


def _kept_slot(message: Message, entry: Entry | None) -> Message | Entry:
    is_final = message.state is not MessageState.STREAMING
    return entry if entry is not None and is_final and entry.message == message else message
