"""The list of conversations: newest first, by day. Says what the user wants done with which.

Draws line by line, so that it costs the same with ten conversations and with thousands.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from gemma_tui.tui.widgets.conversation_requests import (
    ArchivedToggled,
    ChangeRequested,
    EditRequested,
    FilterRequested,
    MenuRequested,
    UndoRequested,
)
from gemma_tui.tui.widgets.conversation_rows import Entry, Heading, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events

    from gemma_tui.conversation import Conversation
    from gemma_tui.tui.widgets.conversation_requests import Change, Edit
    from gemma_tui.tui.widgets.conversation_rows import Row

_PREFIX: Final = "conversation-list--"


class ConversationList(ScrollView, can_focus=True):
    """Enter or a click opens; letters rename, pin, tag, archive; Delete deletes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        _PREFIX + name for name in ("heading", "title", "current", "mark", "tags", "chosen", "none")
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="list.open"),
        Binding("o", "open(True)", "Open in a tab of its own", id="list.open_in_tab"),
        Binding("r", "edit('rename')", "Rename", id="list.rename"),
        Binding("p", "change('pin')", "Pin, or do not", id="list.pin"),
        Binding("t", "edit('tags')", "Tags", id="list.tags"),
        Binding("a", "change('archive')", "Archive, or take back", id="list.archive"),
        Binding("delete", "change('delete')", "Delete", id="list.delete"),
        Binding("ctrl+z,u", "undo", "Bring the deleted back", id="list.undo"),
        Binding("m", "menu", "Menu", show=False, id="list.menu"),
        Binding("slash", "filter", "Filter by title and tags", id="list.filter"),
        Binding(
            "A", "toggle_archived", "Show the archived, or the others", id="list.toggle_archived"
        ),
        Binding("up", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down", "move(1)", "Down", show=False, id="list.down"),
        Binding("pageup", "move_page(-1)", "A page up", show=False, id="list.page_up"),
        Binding("pagedown", "move_page(1)", "A page down", show=False, id="list.page_down"),
        Binding("home", "move_to_end(0)", "First", show=False, id="list.first"),
        Binding("end", "move_to_end(-1)", "Last", show=False, id="list.last"),
        Binding("escape", "screen.leave_list", "Back", show=False, id="list.back"),
    ]

    highlighted: reactive[int | None] = reactive(None)
    """The row the keys act on."""

    class Opened(Message):
        """The user wants to see a conversation."""

        def __init__(self, conversation_id: int, *, in_own_tab: bool = False) -> None:
            super().__init__()
            self.conversation_id = conversation_id
            """Which."""
            self.in_own_tab = in_own_tab
            """Whether what is open now shall stay open."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Conversations"
        self._conversations: tuple[Conversation, ...] = ()
        self._current: int | None = None
        self._marks: Mapping[int, str] = {}
        self._rows: tuple[Row, ...] = ()
        self._wanted = ""
        self.empty_text = ""
        """What is said when there is nothing to show."""

    @property
    def row_count(self) -> int:
        """Rows, headings among them."""
        return len(self._rows)

    @property
    def chosen(self) -> Conversation | None:
        """The conversation the keys act on."""
        return self._entry(self.highlighted)

    def show(
        self,
        conversations: Sequence[Conversation],
        *,
        current: int | None,
        marks: Mapping[int, str],
    ) -> None:
        """Replace the list.

        Args:
            conversations: The pinned first, then newest first.
            current: Id of the open one.
            marks: One character in front of some, by id.
        """
        kept = self.chosen
        self._conversations = tuple(conversations)
        self._current, self._marks = current, marks
        self._fill(kept.id if kept is not None and self.has_focus_within_sidebar else current)

    @property
    def has_focus_within_sidebar(self) -> bool:
        """Whether the user is at work here, also on a title or on the filter."""
        return self.has_focus or (isinstance(self.parent, Widget) and self.parent.has_focus_within)

    def filter(self, wanted: str) -> None:
        """Show only what has these words in its title or tags."""
        if wanted != self._wanted:
            self._wanted = wanted
            kept = self.chosen
            self._fill(kept.id if kept else None)

    def choose(self, conversation_id: int | None) -> bool:
        """Let the keys act on a conversation; False if it is not shown."""
        for index, row in enumerate(self._rows):
            if isinstance(row, Entry) and row.conversation.id == conversation_id:
                self.highlighted = index
                return True
        return False

    def row_of_chosen(self) -> int:
        """Where on the widget the chosen conversation is, in rows from its top."""
        return (self.highlighted or 0) - round(self.scroll_y)

    def _fill(self, wanted_id: int | None) -> None:
        rows = rows_of(self._conversations, marks=self._marks, now=time.time(), wanted=self._wanted)
        if rows != self._rows:
            self._rows = rows
            self.virtual_size = Size(self.scrollable_content_region.width, max(1, len(rows)))
        if not self.choose(wanted_id):
            self.highlighted = None
            if self.has_focus_within_sidebar:
                self.action_move_to_end(0)
        self.refresh()

    def _entry(self, index: int | None) -> Conversation | None:
        if index is None or not 0 <= index < len(self._rows):
            return None
        row = self._rows[index]
        return row.conversation if isinstance(row, Entry) else None

    def render_line(self, y: int) -> Strip:
        """Row `y` of what is visible."""
        width, index = self.scrollable_content_region.width, y + round(self.scroll_y)
        if not self._rows and y == 0 and self.empty_text:
            return self._strip([(self.empty_text, "none")], width)
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[index]
        if isinstance(row, Heading):
            return self._strip([(row.text, "heading")], width)
        is_current = row.conversation.id == self._current
        pieces = [(f"{row.mark} ", "mark"), (row.title, "current" if is_current else "title")]
        if row.tags and cell_len(row.title) + cell_len(row.tags) + 3 <= width:
            pieces += [(" ", "title"), (row.tags, "tags")]
        return self._strip(pieces, width, is_chosen=index == self.highlighted)

    def _strip(
        self, pieces: list[tuple[str, str]], width: int, *, is_chosen: bool = False
    ) -> Strip:
        chosen = self.get_component_rich_style(_PREFIX + "chosen")
        on = chosen.without_color + Style(bgcolor=chosen.bgcolor) if is_chosen else Style.null()
        segments, room = [], width
        for text, name in pieces:
            style = self.get_component_rich_style(_PREFIX + name) + on
            if cell_len(text) > room:
                text = set_cell_size(text, max(0, room - 1)).rstrip() + "…"  # noqa: PLW2901
            room -= cell_len(text)
            segments.append(Segment(text, style))
        pad = self.get_component_rich_style(_PREFIX + "title") + on
        return Strip(segments).adjust_cell_length(width, pad)

    def watch_highlighted(self, index: int | None) -> None:
        """Show it, with its heading if that is just above."""
        self.refresh()
        if index is not None:
            above = index - 1 if index and isinstance(self._rows[index - 1], Heading) else index
            region = Region(0, above, 1, index - above + 1)
            self.scroll_to_region(region, animate=False, force=True, immediate=True)

    def notify_style_update(self) -> None:
        """Colours may have changed."""
        super().notify_style_update()
        self.refresh()

    def on_resize(self) -> None:
        """The rows are as wide as the widget."""
        self.virtual_size = Size(self.scrollable_content_region.width, max(1, len(self._rows)))

    def on_focus(self) -> None:
        """Show where the keys act."""
        if self.chosen is None:
            self.action_move_to_end(0)
        self.refresh()

    def on_blur(self) -> None:
        """The keys act elsewhere."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Open what was clicked, or offer what can be done with it."""
        event.stop()
        offset = event.get_content_offset(self)
        index = offset.y + round(self.scroll_y) if offset is not None else None
        if self._entry(index) is None:
            return
        self.highlighted = index
        if event.button == 1:
            self.action_open()
        else:
            self.action_menu()

    def action_open(self, in_own_tab: bool = False) -> None:
        """Ask for the chosen conversation to be shown."""
        if self.chosen is not None:
            self.post_message(self.Opened(self.chosen.id, in_own_tab=in_own_tab))

    def action_change(self, change: Change) -> None:
        """Ask for something to be done to the chosen conversation."""
        if self.chosen is not None:
            self.post_message(ChangeRequested(change, self.chosen))

    def action_edit(self, edit: Edit) -> None:
        """Ask for the title or the tags to be written."""
        if self.chosen is not None:
            self.post_message(EditRequested(edit))

    def action_undo(self) -> None:
        """Ask for the last deleted conversation."""
        self.post_message(UndoRequested())

    def action_menu(self) -> None:
        """Ask for the menu."""
        if self.chosen is not None:
            self.post_message(MenuRequested())

    def action_filter(self) -> None:
        """Ask for the filter."""
        self.post_message(FilterRequested())

    def action_toggle_archived(self) -> None:
        """Ask for the archived, or for the others."""
        self.post_message(ArchivedToggled())

    def action_move(self, direction: int) -> None:
        """Choose the next (1) or the previous (-1) conversation."""
        start = -1 if self.highlighted is None else self.highlighted
        index = start + direction
        while 0 <= index < len(self._rows):
            if self._entry(index) is not None:
                self.highlighted = index
                return
            index += direction

    def action_move_page(self, direction: int) -> None:
        """Choose one a screen further."""
        for _ in range(max(1, self.size.height - 2)):
            self.action_move(direction)

    def action_move_to_end(self, end: int) -> None:
        """Choose the first (0) or the last (-1) conversation."""
        entries = [i for i, row in enumerate(self._rows) if isinstance(row, Entry)]
        if entries:
            self.highlighted = entries[end]
