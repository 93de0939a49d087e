"""The list of conversations with what is typed into it: the filter, a title, tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Static

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.widgets.conversation_list import ConversationList
from gemma_tui.tui.widgets.conversation_requests import (
    EditRequested,
    FilterRequested,
    MenuRequested,
)
from gemma_tui.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult

    from gemma_tui.conversation import Conversation
    from gemma_tui.tui.widgets.conversation_requests import Edit

MAX_LENGTH: Final = 2000
"""Characters of a title, of all tags of a conversation, or of a filter."""


class EntryLine(LineInput):
    """One line of text that Esc puts away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back to the composer", show=False, id="list.leave")
    ]

    class Left(Message):
        """The user does not want to type here any more."""

        def __init__(self, line: EntryLine) -> None:
            super().__init__()
            self.line = line
            """Where."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # as Textual has it
        super().__init__(id=id, compact=True, select_on_focus=False, max_length=MAX_LENGTH)
        self.display = False

    def action_leave(self) -> None:
        """Say that it is not wanted any more."""
        self.post_message(self.Left(self))


class Sidebar(Vertical):
    """The list, a line to filter it, and a line that lies over a title while that is written."""

    class Edited(Message):
        """The user has written a title or tags."""

        def __init__(self, edit: Edit, conversation_id: int, text: str) -> None:
            super().__init__()
            self.edit = edit
            """Which of them."""
            self.conversation_id = conversation_id
            """Whose."""
            self.text = text
            """What was written; tags are separated by commas."""

    def __init__(self) -> None:
        super().__init__()
        self.list = ConversationList()
        """The conversations."""
        self.filter_line = EntryLine(id="filter")
        """What the list is filtered by."""
        self.edit_line = EntryLine(id="edit")
        """A title or tags while they are written."""
        self.heading = Static("Archived · A goes back", markup=False, id="archived")
        """Says that it is not the usual list."""
        self.can_undo = False
        """Whether a deleted conversation can be brought back."""
        self.shows_archived = False
        """Whether the archived conversations are listed, instead of the others."""
        self._edit: Edit = "rename"
        self._edited_id = 0

    def compose(self) -> ComposeResult:
        """The list; the lines come when they are wanted."""
        yield self.list

    def show(
        self,
        conversations: Sequence[Conversation],
        *,
        current: int | None,
        marks: Mapping[int, str],
    ) -> None:
        """Replace the list; see `ConversationList.show`."""
        self._tell_empty()
        self.list.show(conversations, current=current, marks=marks)

    async def edit(self, edit: Edit) -> None:
        """Let the title or the tags of the chosen conversation be written, where it stands."""
        conversation = self.list.chosen
        if conversation is None:
            return
        self._edit, self._edited_id = edit, conversation.id
        line = self.edit_line
        if not line.is_attached:
            await self.mount(line)
        is_title = edit == "rename"
        line.value = sanitize_line(conversation.title if is_title else ", ".join(conversation.tags))
        line.placeholder = "Title" if is_title else "Tags, with commas"
        above = int(self.filter_line.display) + int(self.shows_archived)
        line.styles.offset = (0, self.list.row_of_chosen() + above)
        line.display = True
        line.cursor_position = len(line.value)
        line.focus()

    def edit_of(self, conversation_id: int | None, edit: Edit) -> bool:
        """Let the title or the tags of a conversation be written; False if it is not listed."""
        self.list.focus()
        is_listed = self.list.choose(conversation_id)
        if is_listed:
            self.call_after_refresh(self.edit, edit)  # once it stands where it will
        return is_listed

    def toggle_archived(self) -> None:
        """List the archived conversations, or the others again."""
        self.shows_archived = not self.shows_archived
        if not self.heading.is_attached:
            self.mount(self.heading, before=0)
        self.heading.display = self.shows_archived

    @on(EditRequested)
    async def _edit_wanted(self, event: EditRequested) -> None:
        event.stop()
        await self.edit(event.edit)

    @on(FilterRequested)
    async def _filter_wanted(self, event: FilterRequested) -> None:
        event.stop()
        if not self.filter_line.is_attached:
            await self.mount(self.filter_line, before=self.list)
        self.filter_line.placeholder = "Filter: words, #tag"
        self.filter_line.display = True
        self.filter_line.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.input is self.filter_line:
            self._tell_empty()
            self.list.filter(event.value)

    @on(Input.Submitted)
    def _written(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input is self.filter_line:
            self.list.focus()
            # Later: what a parent lets its child send goes no further than the parent.
            self.list.call_later(self.list.action_open)
        else:
            self._put_away(self.edit_line)
            self.post_message(self.Edited(self._edit, self._edited_id, event.value))

    @on(EntryLine.Left)
    def _left(self, event: EntryLine.Left) -> None:
        event.stop()
        self._put_away(event.line)

    def on_key(self, event: events.Key) -> None:
        """From the filter Up and Down choose in the list; Esc in the list ends the filter."""
        if self.filter_line.has_focus and event.key in ("up", "down"):
            event.stop()
            self.list.action_move(-1 if event.key == "up" else 1)
        elif self.list.has_focus and event.key == "escape" and self.filter_line.display:
            event.stop()
            event.prevent_default()
            self._put_away(self.filter_line)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A title that is left is not changed."""
        if event.widget is self.edit_line:
            self.edit_line.display = False

    def _put_away(self, line: EntryLine) -> None:
        self.list.focus()
        line.display = False
        if line is self.filter_line:
            line.value = ""

    def _tell_empty(self) -> None:
        if self.filter_line.value:
            self.list.empty_text = "Nothing fits"
        else:
            self.list.empty_text = "Nothing is archived" if self.shows_archived else ""

    @on(MenuRequested)
    def _menu_wanted(self, event: MenuRequested) -> None:
        from gemma_tui.tui.screens.conversation_menu import (  # noqa: PLC0415  # rarely used
            ConversationMenu,
        )

        event.stop()
        if self.list.chosen is not None:
            self.app.push_screen(
                ConversationMenu(self.list.chosen, self.can_undo), self._chosen_in_menu
            )

    def _chosen_in_menu(self, action: str | None) -> None:
        if action is not None:
            self.list.call_later(self.app.run_action, action, self.list)
