"""The list of conversations: newest first, by day. Says what the user wants done with which."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gemma_tui.conversation import Conversation


class ConversationList(OptionList):
    """Enter or a click opens, Delete deletes, Ctrl+Z brings back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete", "delete", "Delete", show=False),
        Binding("ctrl+z,u", "undo", "Undo", show=False),
    ]

    class Opened(Message):
        """The user wants to see a conversation."""

        def __init__(self, conversation_id: int) -> None:
            super().__init__()
            self.conversation_id = conversation_id
            """Which."""

    class DeleteRequested(Message):
        """The user wants to delete a conversation."""

        def __init__(self, conversation_id: int) -> None:
            super().__init__()
            self.conversation_id = conversation_id
            """Which."""

    class UndoRequested(Message):
        """The user wants the last deleted conversation back."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.border_title = "Conversations"

    def show(
        self,
        conversations: Sequence[Conversation],
        *,
        current: int | None,
        marks: Mapping[int, str],
    ) -> None:
        """Replace the list.

        Args:
            conversations: Newest first.
            current: Id of the open one.
            marks: One character in front of some, by id.
        """
        kept = self.highlighted_option
        self.set_options(list(_options(conversations, current, marks, time.time())))
        wanted = kept.id if kept is not None and self.has_focus else str(current)
        ids = [option.id for option in self.options]
        if wanted in ids:
            self.highlighted = ids.index(wanted)
        elif self.has_focus:
            self.action_first()

    def on_focus(self) -> None:
        """Show where the keys act."""
        if self.highlighted is None:
            self.action_first()

    def action_delete(self) -> None:
        """Ask for the chosen conversation to be deleted."""
        if self.highlighted_option is not None and self.highlighted_option.id is not None:
            self.post_message(self.DeleteRequested(int(self.highlighted_option.id)))

    def action_undo(self) -> None:
        """Ask for the last deleted conversation."""
        self.post_message(self.UndoRequested())

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(self.Opened(int(event.option_id)))


def _options(
    conversations: Sequence[Conversation],
    current: int | None,
    marks: Mapping[int, str],
    now: float,
) -> Iterator[Option]:
    heading = ""
    for conversation in conversations:
        day = _day(conversation.updated_at, now)
        if day != heading:
            heading = day
            yield Option(Content.styled(day, "$foreground 60%"), disabled=True)
        mark = f"{marks.get(conversation.id, ' ')} "
        style = "bold $primary" if conversation.id == current else "$foreground"
        title = sanitize_line(conversation.title)
        yield Option(Content.assemble((mark, "$primary"), (title, style)), id=str(conversation.id))


def _day(moment: float, now: float) -> str:
    days = (date.fromtimestamp(now) - date.fromtimestamp(moment)).days  # noqa: DTZ012  # local
    match days:
        case 0:
            return "Today"
        case 1:
            return "Yesterday"
        case _:
            return "Last seven days" if 1 < days < 7 else "Earlier"
