"""The column of the conversation, no wider than can be read, in the middle of what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from gemma_tui.tui.transcript.widget import Transcript

if TYPE_CHECKING:
    from textual import events


class ReadingColumn(Vertical):
    """Transcript and composer; the wheel scrolls beside them, too."""

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Up, unless the transcript did it."""
        self._scroll(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Down, unless the transcript did it."""
        self._scroll(event, 1)

    def _scroll(self, event: events.MouseEvent, direction: int) -> None:
        if self.screen.get_widget_at(event.screen_x, event.screen_y)[0] is self:
            event.stop()
            rows = direction * self.app.scroll_sensitivity_y
            self.query_one(Transcript).scroll_relative(y=rows, animate=False)
