"""For what a change is meant: all conversations, or the open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from gemma_tui.tui.themes import chosen_style

if TYPE_CHECKING:
    from gemma_tui.tui.preferences import Scope


class ScopeSwitch(Widget, can_focus=True):
    """Two words, one of them chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space,left,right", "change", "Change", show=False, id="settings.scope")
    ]

    class Changed(Message):
        """The other one was chosen."""

    scope: reactive[Scope] = reactive("all")
    """What is chosen."""

    def render(self) -> Content:
        """Both, the chosen one marked."""
        chosen, other = chosen_style(self.app), "$foreground 75%"
        is_all = self.scope == "all"
        return Content.assemble(
            (" for all ", chosen if is_all else other),
            (" this conversation ", other if is_all else chosen),
        )

    def on_click(self) -> None:
        """As Enter."""
        self.action_change()

    def action_change(self) -> None:
        """Choose the other one."""
        self.scope = "conversation" if self.scope == "all" else "all"
        self.post_message(self.Changed())
