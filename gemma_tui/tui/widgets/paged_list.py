"""A list of options whose page keys may be pressed at any time."""

from __future__ import annotations

from textual.widgets import OptionList


class PagedList(OptionList):
    """Textual's list. Before it has a size, a page is nothing to move by.

    Textual (8.2.8) looks for the line of the chosen option then, which no layout has made yet, and
    the app ends.
    """

    def action_page_up(self) -> None:
        """Move up by the height of the list."""
        if self.scrollable_content_region:
            super().action_page_up()  # type: ignore[no-untyped-call]  # Textual's

    def action_page_down(self) -> None:
        """Move down by the height of the list."""
        if self.scrollable_content_region:
            super().action_page_down()  # type: ignore[no-untyped-call]  # Textual's
