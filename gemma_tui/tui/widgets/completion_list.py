"""The list above the composer of what could be meant. Shows and counts; never has the focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.themes import chosen_style

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Size

MAX_ROWS: Final = 8
"""More would hide what is talked about."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could be meant."""

    label: str
    """Not sanitised."""
    detail: str
    key: str
    """What its owner knows it by."""


class CompletionList(Widget):
    """A window of rows around the chosen one."""

    class Chosen(Message):
        """A row was clicked."""

    candidates: reactive[tuple[Candidate, ...]] = reactive((), layout=True)
    """Empty closes the list."""
    cursor: reactive[int] = reactive(0)
    """The chosen row."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False

    @property
    def chosen(self) -> Candidate | None:
        """What is chosen; None while the list is closed."""
        return self.candidates[self.cursor] if self.candidates else None

    def watch_candidates(self) -> None:
        """Show the list while anything is in it, the first row chosen."""
        self.cursor = 0
        self.display = bool(self.candidates)

    def move(self, step: int) -> None:
        """Choose the row before or after; from the last to the first."""
        if self.candidates:
            self.cursor = (self.cursor + step) % len(self.candidates)

    def on_click(self, event: events.Click) -> None:
        """Choose a row."""
        offset = event.get_content_offset(self)
        if offset is None or (row := offset.y + self._first_row) >= len(self.candidates):
            return
        self.cursor = row
        self.post_message(self.Chosen())

    @property
    def _first_row(self) -> int:
        return max(0, self.cursor - max(1, self.content_size.height) + 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """One row each, as far as that is bearable."""
        return min(MAX_ROWS, len(self.candidates))

    def render(self) -> Content:
        """The rows that fit."""
        width, height = self.content_size
        first = self._first_row
        shown = self.candidates[first : first + max(1, height)]
        column = min(width // 2, max((cell_len(item.label) for item in shown), default=0))
        return Content("\n").join(
            self._row(item, column, width, is_chosen=first + index == self.cursor)
            for index, item in enumerate(shown)
        )

    def _row(self, item: Candidate, column: int, width: int, *, is_chosen: bool) -> Content:
        detail = sanitize_line(item.detail)
        label = _cut(sanitize_line(item.label), column if detail else width - 1)
        detail = _cut(detail, max(0, width - column - 3)) if detail else ""
        gap = " " * max(0, column + 2 - cell_len(label)) if detail else ""
        rest = " " * max(0, width - cell_len(f"{label}{gap}{detail}"))
        return Content.assemble(
            (f"{label}{gap}", chosen_style(self.app) if is_chosen else "$foreground"),
            (f"{detail}{rest}", chosen_style(self.app) if is_chosen else "$foreground 75%"),
        )


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, max(0, width - 1)).rstrip()}…" if width > 0 else ""
