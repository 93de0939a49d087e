"""A small menu of what can be done with one conversation; each line names its key, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gemma_tui.tui.screens.dialogue import Dialogue
from gemma_tui.tui.widgets.conversation_list import ConversationList
from gemma_tui.tui.widgets.conversation_rows import Entry
from gemma_tui.tui.widgets.paged_list import PagedList

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from gemma_tui.conversation import Conversation


class ConversationMenu(Dialogue[str | None]):
    """Hands back the action that was chosen, for the list to run.

    Args:
        conversation: What it is about.
        can_undo: Whether anything was deleted that could be brought back.
    """

    CSS_PATH = "conversation_menu.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,m", "dismiss", "Close", id="menu.close")
    ]

    def __init__(self, conversation: Conversation, can_undo: bool) -> None:
        super().__init__()
        self._can_undo = can_undo
        self._conversation = conversation

    def compose(self) -> ComposeResult:
        """Title, and one line for each action."""
        with Vertical(id="menu"):
            yield Static(Content(Entry(self._conversation, " ").title), id="title", markup=False)
            yield PagedList(*self._options(), markup=False)

    def _options(self) -> list[Option]:
        offered = [
            (self.app.get_key_display(binding), binding)
            for binding in ConversationList.BINDINGS
            if isinstance(binding, Binding) and binding.show and self._is_offered(binding)
        ]
        width = max(len(keys) for keys, _ in offered) + 2
        return [
            Option(
                Content.assemble((f"{keys:<{width}}", "$text-accent"), self._label(binding)),
                id=binding.action,
            )
            for keys, binding in offered
        ]

    def _is_offered(self, binding: Binding) -> bool:
        return binding.action != "undo" or self._can_undo

    def _label(self, binding: Binding) -> str:
        match binding.action:
            case "change('pin')":
                return "Unpin" if self._conversation.is_pinned else "Pin"
            case "change('archive')":
                return "Take back" if self._conversation.is_archived else "Archive"
            case _:
                return binding.description

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_id)
