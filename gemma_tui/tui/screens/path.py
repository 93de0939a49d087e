"""A place to type the path of a file. Opens no file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.suggester import Suggester
from textual.widgets import Input, Label

from gemma_tui.paths import expand
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class PathSuggester(Suggester):
    """Completes the name of a file or folder from what is in its folder."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The first name, in order of the alphabet, that goes on where `value` ends."""
        return await asyncio.to_thread(_complete, value)


class PathScreen(Dialogue[str | None]):
    """Asks for a path. Enter takes it, Esc puts the dialogue away.

    Args:
        question: What the path is for.
        verb: What Enter does.
        typed: What stands there at first.
        example: What may be typed, if it is no path.
    """

    CSS_PATH = "path.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", id="path.close")
    ]

    def __init__(self, question: str, verb: str, typed: str = "", example: str = "") -> None:
        super().__init__()
        self._question = question
        self._verb = verb
        self._typed = typed
        self._example = example

    def compose(self) -> ComposeResult:
        """A label, the input, a hint."""
        with Vertical(id="dialogue"):
            yield Label(self._question, id="question", markup=False)
            yield LineInput(
                self._typed,
                placeholder=self._example or "~/…",
                suggester=None if self._example else PathSuggester(),
                select_on_focus=False,
            )
            keys = (f"Enter {self._verb}", "" if self._example else "→ completes", "Esc cancels")
            yield Label(" · ".join(filter(None, keys)), id="hint", markup=False)

    def on_mount(self) -> None:
        """The end of a long path is what one changes."""
        self.call_after_refresh(self.query_one(Input).action_end)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the text back."""
        event.stop()
        self.dismiss(event.value if event.value.strip() else None)


def _complete(value: str) -> str | None:
    folder, _, start = value.rpartition("/")
    if not start:
        return None
    place = expand(f"{folder}/") if "/" in value else Path()
    try:
        names = sorted(entry.name for entry in place.iterdir() if entry.name.startswith(start))
    except OSError:
        return None
    names = [name for name in names if name == sanitize_line(name)]
    if not names:
        return None
    tail = "/" if (place / names[0]).is_dir() else ""
    return f"{value[: len(value) - len(start)]}{names[0]}{tail}"
