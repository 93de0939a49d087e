"""Draws a conversation line by line, and streams into its end.

Costs do not grow with the conversation: finished blocks keep their rows, only the tail is drawn
anew, and only what is on the screen is drawn at all. Knows messages, not where they come from.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.widget import Widget

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.transcript import theme
from gemma_tui.tui.transcript.document import Document
from gemma_tui.tui.transcript.layout import joined_text
from gemma_tui.tui.transcript.pace import Pace
from gemma_tui.tui.transcript.painter import GUTTER, Painter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.selection import Selection
    from textual.strip import Strip
    from textual.timer import Timer

    from gemma_tui.conversation import Message
    from gemma_tui.tui.transcript.places import Line, Place
    from gemma_tui.tui.transcript.sections import SectionKind

WARM_UP_SECONDS: Final = 0.5
"""After mounting: when the screen stands, and before any model could answer."""


class TranscriptView(ScrollView, can_focus=True):
    """A conversation, following its end unless the reader has scrolled up.

    Args:
        is_awaited: Until the first `show` nothing is drawn, not even the welcome.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {theme.PREFIX + name for name in theme.NAMES}
    DEFAULT_CSS = (
        """
TranscriptView {
    background: $background;
    color: $foreground;
    overflow-x: hidden;
    overflow-y: scroll;
    scrollbar-size-vertical: 1;
    padding: 0 1;
}
"""
        + theme.CSS
    )

    def __init__(self, *, is_awaited: bool = False) -> None:
        super().__init__()
        self._document = Document()
        self._is_awaited = is_awaited
        self._painter = Painter(self)
        self._follows = True
        self._has_news = False
        self._settling = False
        self._visible: tuple[Line | bool, ...] = ()  # what is painted, and the mark of news
        self._changed: set[int] = set()
        self._flush_timer: Timer | None = None
        self._pace = Pace()

    @property
    def allow_select(self) -> bool:
        """Text can be selected with the mouse."""
        return True

    @property
    def _text_width(self) -> int:
        # Textual counts the column under the scrollbar as part of a scroll view's size.
        return max(1, self.scrollable_content_region.width - GUTTER)

    @property
    def is_following(self) -> bool:
        """Whether new text scrolls into view by itself."""
        return self._follows

    def show(
        self, messages: Sequence[Message], forks: Mapping[int, tuple[int, int]] | None = None
    ) -> None:
        """Replace everything by `messages`, and go to their end.

        Args:
            messages: A branch.
            forks: By id of a message with siblings: which of how many it is, counted from 1.
        """
        self._drop_flush()
        self._document.show(messages, forks)
        self._follows, self._has_news = True, False
        self._is_awaited = False
        self.refresh()
        self._settle()

    def append(self, message: Message) -> None:
        """Add a message below, and go there if it is the reader's own."""
        self._flush()
        before = self._document.height
        self._document.append(message)
        self._follows = self._follows or message.role == "user"
        self._grow(before)

    def add_thought(self, message_id: int, text: str) -> None:
        """More of a message's thought."""
        self._add(message_id, "thought", text)

    def add_text(self, message_id: int, text: str) -> None:
        """More of a message's text."""
        self._add(message_id, "text", text)

    def set_progress(self, message_id: int, label: str) -> None:
        """What a message without text waits for, for example `reading the prompt 45 %`."""
        entry = self._document.entry(message_id)
        if entry is not None and entry.progress != label:
            entry.progress = sanitize_line(label)
            self._schedule(message_id)

    def finish(self, message: Message) -> None:
        """A message's final values."""
        self._changed.discard(message.id)
        self._flush()
        before = self._document.height
        self._document.finish(message)
        self._grow(before)

    def render_line(self, y: int) -> Strip:
        """Row `y` of what is visible."""
        width, height = self.size
        if self._has_news and y == height - 1:
            return self._painter.news(width)
        if self._is_awaited:
            return self._painter.blank(width)
        if self._document.is_empty:
            self._document.set_width(self._text_width)  # the first paint comes before the Resize
        top = round(self.scroll_y) + y
        for line in self._document.lines(top, 1):
            return self._painter.strip(top, line, width, self.text_selection)
        return self._painter.blank(width)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text; lines that only the width broke are whole again."""
        top = max(0, selection.start.y) if selection.start else 0
        bottom = selection.end.y if selection.end else self._document.height - 1
        self._document.draw(top, bottom - top + 1)
        rows = []
        for y, line in enumerate(self._document.lines(top, bottom - top + 1), top):
            first, last = selection.get_span(y) or (0, 0)
            rows.append(line.row.part(max(0, first), len(line.row.text) if last < 0 else last))
        return joined_text(rows), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """Draw it."""
        self.refresh()

    def notify_style_update(self) -> None:
        """The theme may have changed: colours are looked up again."""
        super().notify_style_update()
        self._painter.forget()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop or start to follow the end, and draw what comes into view."""
        super().watch_scroll_y(old_value, new_value)
        if not self._settling:
            self._follows = new_value >= self.max_scroll_y
            self._settle()

    def on_mount(self) -> None:
        """Load the parsers in the background, after the first paint."""
        self.set_timer(WARM_UP_SECONDS, self._warm_up)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap what is visible to the new width."""
        del event
        place = None
        if self._text_width != self._document.width:
            place = self._place()
            self._document.set_width(self._text_width)
        self._settle(place)

    def action_scroll_end(self) -> None:
        """Go to the end and follow it."""
        self._follows = True
        self._settle()

    def _warm_up(self) -> None:
        self.run_worker(self._document.warm_up, thread=True)

    def _add(self, message_id: int, kind: SectionKind, text: str) -> None:
        entry = self._document.entry(message_id)
        if entry is not None and text:
            entry.add(kind, text)
            self._schedule(message_id)

    def _schedule(self, message_id: int) -> None:
        """Flush now if the last time is long enough ago, else as soon as it is."""
        self._changed.add(message_id)
        if self._flush_timer is not None:
            return
        wait = self._pace.wait(monotonic())
        if wait <= 0:
            self._flush()
        else:
            self._flush_timer = self.set_timer(wait, self._flush)

    def _flush(self) -> None:
        """Draw what was added since the last time."""
        changed = tuple(self._changed)
        self._drop_flush()
        if not changed:
            return
        begin = monotonic()
        before = self._document.height
        for message_id in changed:
            self._document.refresh(message_id)
        self._grow(before)
        self._pace.flushed(begin, monotonic())

    def _drop_flush(self) -> None:
        self._changed.clear()
        if self._flush_timer is not None:
            self._flush_timer.stop()
            self._flush_timer = None

    def _place(self) -> Place | None:
        return None if self._document.is_empty else self._document.locate(round(self.scroll_y))

    def _grow(self, before: int) -> None:
        """Show rows that came at the end, or say that there are some."""
        if not self._follows and self._document.height > before:
            self._has_news = True
        self._settle()

    def _settle(self, place: Place | None = None) -> None:
        """Draw what is visible, and scroll so that the reader's place (or the end) stays."""
        if self._settling or not self.size:
            return
        self._settling = True
        try:
            place = place or self._place()
            top = self._top(place)
            while place is not None and self._document.draw(top, self.size.height):
                top = self._top(place)
            self._set_height(self._document.height)
            if round(self.scroll_y) != top:  # else a running scroll animation goes on
                self.scroll_to(y=top, animate=False, immediate=True, force=True)
            if top >= self.max_scroll_y:
                self._has_news = False
        finally:
            self._settling = False
        self._repaint(top)

    def _set_height(self, height: int) -> None:
        # Past the reactive attribute, which would lay out the whole screen for every new row.
        self.set_reactive(Widget.virtual_size, Size(self.size.width, height))
        self.vertical_scrollbar.window_virtual_size = height
        self.vertical_scrollbar.window_size = self.size.height

    def _repaint(self, top: int) -> None:
        """Have those rows painted that differ from what is on the screen."""
        now: tuple[Line | bool, ...] = (
            *self._document.lines(top, self.size.height),
            self._has_news,
        )
        before, self._visible = self._visible, now
        if len(before) != len(self._visible) or before[-1] != self._has_news:
            self.refresh()
            return
        pairs = enumerate(zip(before, self._visible, strict=True))
        changed = [y for y, (old, new) in pairs if old is not new and old != new]
        if changed:
            rows = changed[-1] - changed[0] + 1
            self.refresh(Region(0, changed[0], self.size.width, rows))

    def _top(self, place: Place | None) -> int:
        end = max(0, self._document.height - self.size.height)
        if self._follows or place is None:
            return end
        return min(end, self._document.position(place))
