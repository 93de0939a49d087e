"""The line in which the reader types what to look for in the open conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from gemma_tui.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from textual.app import ComposeResult


class FindBar(Horizontal):
    """An input and how many hits there are; it finds nothing itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,f3", "step(1)", "Next", show=False, priority=True, id="find.next"),
        Binding(
            "shift+enter,up,shift+f3",
            "step(-1)",
            "Previous",
            show=False,
            priority=True,
            id="find.previous",
        ),
        Binding("escape", "close", "Close", show=False, priority=True, id="find.close"),
    ]

    class Changed(Message):
        """Another text is looked for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class StepRequested(Message):
        """To the next hit (1) or the one before (-1)."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    class Closed(Message):
        """Nothing is looked for any more."""

    def __init__(self) -> None:
        super().__init__()
        self.input = LineInput(placeholder="in this conversation", compact=True)
        """What is looked for."""
        self._count = Label("", markup=False)
        self.display = False

    def compose(self) -> ComposeResult:
        """Name, input, count."""
        yield Label("Find ", markup=False)
        yield self.input
        yield self._count

    def open(self, text: str | None = None) -> None:
        """Show it and go there; what was typed last is selected, to be typed over."""
        self.display = True
        if text is not None:
            with self.prevent(Input.Changed):
                self.input.value = text
        self.input.focus()
        self.input.action_select_all()

    def tell(self, number: int, total: int) -> None:
        """Say which of how many hits is shown."""
        if not self.input.value.strip():
            self._count.update("")
        elif total:
            self._count.update(f" {number:,} of {total:,}  Enter next · ↑ previous · Esc ")
        else:
            self._count.update(" not found  Esc ")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    def action_step(self, direction: int) -> None:
        """Go on."""
        self.post_message(self.StepRequested(direction))

    def action_close(self) -> None:
        """Put it away."""
        self.display = False
        self.post_message(self.Closed())
