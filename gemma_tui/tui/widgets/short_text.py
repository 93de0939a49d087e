"""A text that may need more rows than it gets: its last row then says how to read all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import RenderResult
    from textual.geometry import Size

MORE: Final = "… F7 shows all"


class ShortText(Static):
    """Wraps; what is cut off can be read on the page of notices.

    Args:
        text: What it says at first.
        name: Its id.
        classes: Its classes.
    """

    def __init__(self, text: str = "", *, name: str | None = None, classes: str = "") -> None:
        super().__init__(text, id=name, classes=classes, markup=False)

    @property
    def whole(self) -> str:
        """Everything it says."""
        return str(self.visual)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """The rows that all of it needs, however many there are."""
        return len(self._rows(width)) if width else 0

    def render(self) -> RenderResult:
        """As much as there is room for."""
        width, height = self.content_size
        rows = self._rows(width) if width else []
        if len(rows) <= height or not height:
            return self.visual
        last = rows[height - 1].truncate(max(0, width - len(MORE)))
        return Content("\n").join([*rows[: height - 1], last + MORE])

    def _rows(self, width: int) -> list[Content]:
        return self.visual.wrap(width) if isinstance(self.visual, Content) else []
