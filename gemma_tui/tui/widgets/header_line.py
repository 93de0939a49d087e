"""The first line of the screen: the app, the conversation's title, and two promises kept."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from gemma_tui.network import NetworkActivity
from gemma_tui.sanitize import sanitize_line

MAX_HOST_CELLS: Final = 28
"""Of a longer name the beginning is shown."""


class HeaderLine(Widget):
    """App name, title, "demo model" where it is one, "offline" or what it is connected with."""

    title: reactive[str] = reactive("")
    """Title of the open conversation."""
    is_demo: reactive[bool] = reactive(False)
    """Whether the loaded model is the built-in one."""
    network: reactive[NetworkActivity] = reactive(NetworkActivity())
    """What this run is and was connected with."""

    def render(self) -> Content:
        """Name left, title after it, badges right."""
        width = self.content_size.width
        name = "gemma-tui"
        network = f" {_in_words(self.network)} "
        badges = [" demo model ", network] if self.is_demo else [network]
        while badges and len(name) + 2 + sum(map(cell_len, badges)) + len(badges) > width:
            badges.pop(0)
        right = sum(map(cell_len, badges)) + len(badges)
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
            marked = "reverse" if is_ansi else "$foreground on $warning 30%"
            is_quiet = badge is network and not self.network.hosts
            parts += [" ", (badge, "$foreground 75% on $panel" if is_quiet else marked)]
        return Content.assemble(*parts)


def _in_words(network: NetworkActivity) -> str:
    """The first host, and how many there are besides; or how many connections there were."""
    if not network.hosts:
        return f"⇄ {network.connections} closed" if network.connections else "offline"
    host, others = sanitize_line(network.hosts[0]), len(network.hosts) - 1
    if cell_len(host) > MAX_HOST_CELLS:
        host = set_cell_size(host, MAX_HOST_CELLS - 1).rstrip() + "…"
    return f"⇄ {host} +{others}" if others else f"⇄ {host}"
