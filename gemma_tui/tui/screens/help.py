"""Help: every key and command, and what stays private. Made from bindings and the registry."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget

from gemma_tui.frontend.commands import COMMANDS
from gemma_tui.tui.keys import key_groups, keys_of
from gemma_tui.tui.screens.dialogue import Dialogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.app import ComposeResult
    from textual.geometry import Size

    from gemma_tui.tui.keys import KeyGroup

PRIVACY: Final = (
    "Everything happens on this computer: the model, your conversations and your files never leave"
    " it, unless you choose a server that answers in its place; the first line says who is"
    " connected. Files you attach are copied into the app's data folder, readable by you only."
)

_WIDTH: Final = 20
_MIN_ROOM: Final = 20


class HelpScreen(Dialogue[None]):
    """All keys and commands on one page.

    Args:
        keymap: Keys that are not the default ones, by the id of their binding.
    """

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", "Close", priority=True, id="help.close")
    ]

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """The page, scrollable."""
        with VerticalScroll(id="page") as page:
            page.border_title = "Help"
            page.border_subtitle = "↑↓ scroll · Esc"
            yield HelpText(self._keymap)


class HelpText(Widget):
    """All keys and commands, wrapped to the width there is.

    Args:
        keymap: As `HelpScreen`.
    """

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._keymap = keymap

    def render(self) -> Content:
        """Everything."""
        return self._page(self.content_size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many rows as the text has in this width."""
        return self._page(width).plain.count("\n") + 1

    def _page(self, width: int) -> Content:
        lines: list[str | tuple[str, str]] = []
        for group in key_groups():
            lines.append((f"{group.title}\n", "bold $primary"))
            for keys, meaning in rows_of(group, self._keymap):
                lines += _row(keys, meaning, width)
            lines.append("\n")
        lines.append(("Commands\n", "bold $primary"))
        for command in COMMANDS:
            lines += _row(command.usage, command.title, width)
        lines.append(("\nPrivacy\n", "bold $primary"))
        privacy = "\n".join(wrap(PRIVACY, max(_MIN_ROOM, width)))
        lines.append((privacy, "$foreground"))
        return Content.assemble(*lines)


def rows_of(group: KeyGroup, keymap: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Keys and meanings of one place; the nine keys of tabs are one row."""
    yield from group.others
    for binding in group.bindings:
        name = binding.id or ""
        if not name.startswith("tabs.show_"):
            yield keys_of(binding, keymap), binding.tooltip or binding.description
        elif name == "tabs.show_1":
            yield "Alt+1 … Alt+9", "That tab"


def _row(left: str, right: str, width: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """One entry; a left side that is too wide has a line of its own."""
    indent = "\n" + " " * (_WIDTH + 2)
    gap = indent if len(left) >= _WIDTH else ""
    lines = indent.join(wrap(right, max(_MIN_ROOM, width - _WIDTH - 2)))
    return (f"  {left:<{_WIDTH}}{gap}", "$text-accent"), (f"{lines}\n", "$foreground")
