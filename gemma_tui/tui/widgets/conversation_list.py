"""The list of conversations: newest first, by day. Says what the user wants done with which."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gemma_tui.conversation import Conversation


class ConversationList(OptionList):
    """Enter or a click opens, Delete deletes, Ctrl+Z brings back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,backspace", "delete", "Delete", show=False),
        Binding("ctrl+z,u", "undo", "Undo", show=False),
    ]

    class Opened(Message):
        """The user wants to see a conversation."""

        def __init__(self, conversation_id: int) -> None:
            super().__init__()
            self.conversation_id = conversation_id
            """Which."""

    class DeleteRequested(Opened):
        """The user wants to delete a conversation."""

    class UndoRequested(Message):
        """The user wants the last deleted conversation back."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.border_title = "Conversations"

    def show(
        self, conversations: Sequence[Conversation], *, current: int | None, writing: int | None
    ) -> None:
        """Replace the list.

        Args:
            conversations: Newest first.
            current: Id of the open one.
            writing: Id of the one whose reply is being written.
        """
        kept = self.highlighted_option
        self.set_options(list(_options(conversations, current, writing, time.time())))
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
    conversations: Sequence[Conversation], current: int | None, writing: int | None, now: float
) -> Iterator[Option]:
    heading = ""
    for conversation in conversations:
        day = _day(conversation.updated_at, now)
        if day != heading:
            heading = day
            yield Option(Content.styled(day, "$foreground 60%"), disabled=True)
        is_current = conversation.id == current
        mark = "… " if conversation.id == writing else "▸ " if is_current else "  "
        style = "bold $primary" if is_current else "$foreground"
        title = sanitize_line(conversation.title)
        yield Option(Content.assemble((mark, "$primary"), (title, style)), id=str(conversation.id))


def _day(moment: float, now: float) -> str:
    days = (time.localtime(now).tm_yday - time.localtime(moment).tm_yday) % 366
    if now - moment > 8 * 86_400:
        return "Earlier"
    return (
        "Today"
        if days == 0
        else "Yesterday"
        if days == 1
        else "Earlier this week"
        if days < 7
        else "Earlier"
    )
