"""A place to type the path of a file, for terminals that cannot drop one. Opens no file."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Label

from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from textual.app import ComposeResult


class PathSuggester(Suggester):
    """Completes the name of a file or folder from what is in its folder."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The first name, in order of the alphabet, that goes on where `value` ends."""
        return await asyncio.to_thread(_complete, value)


class AttachScreen(ModalScreen[str | None]):
    """Asks for a path. Enter takes it, Esc puts the dialogue away.

    Args:
        typed: What was typed last time and could not be attached.
    """

    CSS_PATH = "attach.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", id="attach.close")
    ]

    def __init__(self, typed: str = "") -> None:
        super().__init__()
        self._typed = typed

    def compose(self) -> ComposeResult:
        """A label, the input, a hint."""
        with Vertical(id="dialogue"):
            yield Label("Attach a picture, a sound or a text", id="question")
            yield Input(self._typed, placeholder="~/Pictures/…", suggester=PathSuggester())
            yield Label("Enter attaches · → completes · Esc cancels", id="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the text back."""
        event.stop()
        self.dismiss(event.value if event.value.strip() else None)


def _complete(value: str) -> str | None:
    folder, _, start = value.rpartition("/")
    if not start:
        return None
    place = Path(os.path.expanduser(folder + "/")) if "/" in value else Path()  # noqa: PTH111
    try:
        names = sorted(entry.name for entry in place.iterdir() if entry.name.startswith(start))
    except OSError:
        return None
    names = [name for name in names if name == sanitize_line(name)]
    if not names:
        return None
    tail = "/" if (place / names[0]).is_dir() else ""
    return f"{value[: len(value) - len(start)]}{names[0]}{tail}"
