"""The line of tabs above the conversation; shown only when more than one is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from textual import events

_WIDEST: Final = 28
_NARROWEST: Final = 8
"""Narrower than this a title says nothing: then only the tabs around the current one are shown."""

_PREFIX: Final = "tab-line--"


@dataclass(frozen=True, slots=True)
class TabLabel:
    """What a tab says."""

    title: str
    mark: str = " "
    """One character: a reply is being written, has ended unseen, or there is a draft."""


class TabLine(Widget):
    """A click shows a tab, a middle click closes it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        _PREFIX + name for name in ("tab", "current", "mark", "more")
    }

    labels: reactive[tuple[TabLabel, ...]] = reactive(())
    """All tabs."""
    current: reactive[int] = reactive(0)
    """Index of the one that is shown."""

    class Selected(Message):
        """The user wants to see a tab."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index
            """Which, from 0."""

    class CloseRequested(Message):
        """The user wants to close a tab."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index
            """Which, from 0."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False

    def show(self, labels: tuple[TabLabel, ...], current: int) -> None:
        """Show these tabs; a single one needs no line."""
        self.display = len(labels) > 1
        self.labels, self.current = labels, current

    def render_line(self, y: int) -> Strip:
        """The tabs, as many as fit around the current one."""
        width = self.size.width
        first, count, tab_width = self._window(width)
        plain = self.get_component_rich_style(_PREFIX + "tab")
        segments = [] if y else self._segments(first, count, tab_width)
        return Strip(segments).adjust_cell_length(width, plain)

    def _segments(self, first: int, count: int, tab_width: int) -> list[Segment]:
        more = self.get_component_rich_style(_PREFIX + "more")
        segments = [Segment("‹" if first else " ", more)]
        for index in range(first, first + count):
            label = self.labels[index]
            name = "current" if index == self.current else "tab"
            style = self.get_component_rich_style(_PREFIX + name)
            mark = self.get_component_rich_style(_PREFIX + name, _PREFIX + "mark")
            title, room = f"{index + 1} {sanitize_line(label.title)}", tab_width - 3
            if cell_len(title) > room:
                title = set_cell_size(title, max(0, room - 1)).rstrip() + "…"
            segments.append(Segment(f"{label.mark} ", mark))
            segments.append(Segment(set_cell_size(title, max(0, room)) + " ", style))
        if first + count < len(self.labels):
            segments.append(Segment("›", more))
        return segments

    def _window(self, width: int) -> tuple[int, int, int]:
        """The first tab that is shown, how many are, and how wide each is."""
        total, room = len(self.labels), max(1, width - 2)
        if not total:
            return 0, 0, 0
        count = max(1, min(total, room // _NARROWEST))
        first = max(0, min(self.current - count // 2, total - count))
        return first, count, min(_WIDEST, room // count)

    def on_click(self, event: events.Click) -> None:
        """Show or close what was clicked."""
        event.stop()
        first, count, tab_width = self._window(self.size.width)
        offset = event.get_content_offset(self)
        if offset is None or not tab_width:
            return
        if offset.x == 0:
            self.post_message(self.Selected(max(0, first - 1)))
            return
        index = first + (offset.x - 1) // tab_width
        if index >= first + count:
            index = min(first + count, len(self.labels) - 1)
            if offset.x - 1 > tab_width * count:
                return
        self.post_message(self.CloseRequested(index) if event.button == 2 else self.Selected(index))
