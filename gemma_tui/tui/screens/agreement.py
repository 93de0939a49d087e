"""A question that is answered with yes or no. Enter answers nothing: it may be meant to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label

from gemma_tui.tui.screens.dialogue import Dialogue

if TYPE_CHECKING:
    from textual.app import ComposeResult


class AgreementScreen(Dialogue[bool]):
    """Asks; `Y` is yes, `N` and Esc are no.

    Args:
        question: All that there is to know before one answers; foreign text made safe.
    """

    CSS_PATH = "agreement.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes", id="agreement.yes"),
        Binding("n,escape", "dismiss(False)", "No", id="agreement.no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question, the keys."""
        with Vertical(id="dialogue"):
            yield Label(self._question, id="question", markup=False)
            yield Label("Y yes · N or Esc no", id="hint", markup=False)
