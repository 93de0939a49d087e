"""A hidden field for the password of a document. What is typed is handed back, and kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label

from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class PasswordScreen(Dialogue[str | None]):
    """Asks for a password. Enter takes it, Esc puts the dialogue away.

    Args:
        name: Of the document, fit to be shown.
        is_wrong: Whether the last one did not open it.
    """

    CSS_PATH = "password.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", id="password.close")
    ]

    def __init__(self, name: str, *, is_wrong: bool) -> None:
        super().__init__()
        self._name_shown = name
        self._is_wrong = is_wrong

    def compose(self) -> ComposeResult:
        """The question, the field, what becomes of what is typed."""
        wrong = "That password does not open it. " if self._is_wrong else ""
        with Vertical(id="dialogue"):
            yield Label(f"“{self._name_shown}” is locked.", id="question", markup=False)
            yield Label(f"{wrong}Its password:", id="problem", markup=False)
            yield LineInput(password=True, select_on_focus=False)
            yield Label(
                "The password is not kept; the copy that is attached needs none.\n"
                "Enter opens it · Esc cancels",
                id="hint",
                markup=False,
            )

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the password back; an empty one is none."""
        event.stop()
        if event.value:
            self.dismiss(event.value)
