"""Notices: what is said on the screen now, all of it, and what was told before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from gemma_tui.sanitize import sanitize
from gemma_tui.tui.screens.dialogue import Dialogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from gemma_tui.tui.notices import Notice


class NoticeScreen(Dialogue[None]):
    """One page to scroll through.

    Args:
        shown: What the screen below says.
        notices: What was told, the newest first.
    """

    CSS_PATH = "notices.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f7,q,enter", "dismiss", "Close", priority=True, id="notices.close")
    ]

    def __init__(self, shown: Sequence[str], notices: Sequence[Notice]) -> None:
        super().__init__()
        self._shown = shown
        self._notices = notices

    def compose(self) -> ComposeResult:
        """The page, scrollable."""
        with VerticalScroll(id="page") as page:
            page.border_title = "Notices"
            page.border_subtitle = "↑↓ scroll · Esc"
            yield Static(self._page(), markup=False)

    def _page(self) -> Content:
        parts: list[str | tuple[str, str]] = []
        if self._shown:
            parts.append(("On the screen\n", "bold $primary"))
            parts += [f"{sanitize(text)}\n\n" for text in self._shown]
        told = [notice for notice in self._notices if f"! {notice.sentence}" not in self._shown]
        if told:
            parts.append(("Told before\n", "bold $primary"))
        for notice in told:
            parts.append(
                (f"{time.strftime('%H:%M', time.localtime(notice.told_at))}  ", "$text-accent")
            )
            parts.append(f"{sanitize(notice.sentence)}\n\n")
        return Content.assemble(*parts or ["Nothing was told since the start."]).rstrip()
