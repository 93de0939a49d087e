"""What the user wants done with a conversation of the list, as messages to whoever does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from textual.message import Message

if TYPE_CHECKING:
    from gemma_tui.conversation import Conversation

Change: TypeAlias = Literal["pin", "archive", "delete"]
"""What can be done to a conversation without asking anything."""
Edit: TypeAlias = Literal["rename", "tags"]
"""What of a conversation can be written."""


class ChangeRequested(Message):
    """The user wants something done to a conversation."""

    def __init__(self, change: Change, conversation: Conversation) -> None:
        super().__init__()
        self.change = change
        """What."""
        self.conversation = conversation
        """To which."""


class EditRequested(Message):
    """The user wants to write the title or the tags of the chosen conversation."""

    def __init__(self, edit: Edit) -> None:
        super().__init__()
        self.edit = edit
        """Which of them."""


class UndoRequested(Message):
    """The user wants the last deleted conversation back."""


class MenuRequested(Message):
    """The user wants to be offered what can be done with the chosen conversation."""


class FilterRequested(Message):
    """The user wants to type what the list is filtered by."""


class ArchivedToggled(Message):
    """The user wants to see the archived conversations, or the others again."""
