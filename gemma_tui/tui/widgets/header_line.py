"""The first line of the screen: the app, the conversation's title, and two promises kept."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from gemma_tui.sanitize import sanitize_line


class HeaderLine(Widget):
    """App name, title, "demo model" where it is one, "offline"."""

    title: reactive[str] = reactive("")
    """Title of the open conversation."""
    is_demo: reactive[bool] = reactive(False)
    """Whether the loaded model is the built-in one."""

    def render(self) -> Content:
        """Name left, title after it, badges right."""
        width = self.content_size.width
        name = "gemma-tui"
        badges = [" demo model ", " offline "] if self.is_demo else [" offline "]
        while badges and len(name) + 2 + sum(map(len, badges)) + len(badges) > width:
            badges.pop(0)
        right = sum(map(len, badges)) + len(badges)
        room = max(0, width - len(name) - 3 - right)
        title = sanitize_line(self.title)
        if cell_len(title) > room:
            title = set_cell_size(title, max(0, room - 1)).rstrip() + "…" if room else ""
        gap = " " * max(0, width - len(name) - 2 - cell_len(title) - right)
        parts: list[str | tuple[str, str]] = [
            (name, "bold $primary"),
            "  ",
            (title, "$foreground"),
            gap,
        ]
        for badge in badges:
            is_ansi = self.app.native_ansi_color
            demo = "reverse" if is_ansi else "$foreground on $warning 30%"
            style = demo if "demo" in badge else "$foreground 75% on $panel"
            parts += [" ", (badge, style)]
        return Content.assemble(*parts)
