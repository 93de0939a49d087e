"""One line of text in which foreign characters are visible, and as wide as they are shown.

What is typed or pasted stays as it came: a path must name its file. Textual's input counts control
characters as nothing, so that the end of a line with some would lie outside of it.
"""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Region
from textual.widgets import Input

from gemma_tui.sanitize import sanitize_line


class LineInput(Input):
    """An `Input` without a highlighter; a tab is as wide as a blank."""

    def replace(self, text: str, start: int, end: int) -> None:
        """Edit, and follow the cursor; Textual (8.2.8) leaves that out at the first edit."""
        self._initial_value = False
        super().replace(text, start, end)

    def on_resize(self) -> None:
        """Keep the cursor in sight, also when something beside the line takes room."""
        if not self._initial_value:
            cursor = Region(self._cursor_offset, 0, 1, 1)
            self.scroll_to_region(cursor, force=True, animate=False)

    def _position_to_cell(self, position: int) -> int:
        if self.password:
            return position
        return cell_len(sanitize_line(self.value[:position]))

    @property
    def _value(self) -> Text:
        if self.password:
            return Text("•" * len(self.value), no_wrap=True, overflow="ignore", end="")
        # One character for each, so that positions in the value are positions in what is shown.
        return Text(sanitize_line(self.value), no_wrap=True, overflow="ignore", end="")
