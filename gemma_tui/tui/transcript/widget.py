"""The transcript: a conversation with a cursor over its messages, folds, and a search.

What needs more than the screen (answering, editing, deleting) is asked of the parent by messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from gemma_tui.tui.transcript import cursor
from gemma_tui.tui.transcript.copying import code_blocks, counted, source_of
from gemma_tui.tui.transcript.folding import FoldingView
from gemma_tui.tui.transcript.line_selection import LineSelection
from gemma_tui.tui.transcript.requests import (
    ActionKind,
    ActionRequested,
    CursorMoved,
    EditRequested,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events

    from gemma_tui.conversation import Message


class Transcript(FoldingView, can_focus=True):
    """A conversation to read and to act on.

    With the focus comes the cursor: it stands on one message, and the keys act on that one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="message.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="message.down"),
        Binding("enter,space", "unfold", "Show or fold", key_display="Enter", id="message.unfold"),
        Binding("c", "copy", "Copy", id="message.copy"),
        Binding("y", "copy_code", "Copy code", id="message.copy_code"),
        Binding("e", "edit", "Edit", id="message.edit"),
        Binding("r", "ask('answer')", "Answer again", id="message.answer"),
        Binding("z", "ask('closer')", "Look closer", id="message.closer"),
        Binding("g", "ask('continue')", "Go on", id="message.continue"),
        Binding("n", "ask('branch')", "Ask from here", id="message.branch"),
        Binding("left", "ask('older')", "Other branch", key_display="← →", id="message.older"),
        Binding("right", "ask('newer')", "Other branch", show=False, id="message.newer"),
        Binding("i", "details", "Details", id="message.details"),
        Binding(
            "t",
            "toggle_thoughts",
            "Thoughts",
            tooltip="Show or fold what the model thought",
            id="message.thoughts",
        ),
        Binding("v", "select", "Select lines", id="message.select"),
        Binding("delete", "ask('delete')", "Delete", id="message.delete"),
        Binding("u,ctrl+z", "ask('undo')", "Undo", show=False, id="message.undo"),
        Binding("escape", "leave", "Back", id="message.leave"),
    ]

    def __init__(self, *, is_awaited: bool = False) -> None:
        super().__init__(is_awaited=is_awaited)
        self._chosen_id: int | None = None
        self._forks: dict[int, tuple[int, int]] = {}
        self._copied_block = (0, -1)  # message and number of the code block copied last
        self._selecting = LineSelection(self, self._document)

    @property
    def chosen(self) -> Message | None:
        """The message the cursor is on, also while the focus is elsewhere."""
        index = self._document.index_of(self._chosen_id)
        return None if index is None else self._document.message(index)

    @property
    def target(self) -> Message | None:
        """What an action is about: the chosen message, else the last one."""
        return self.chosen or super().target

    @property
    def is_selecting(self) -> bool:
        """Whether lines are being selected with the keyboard."""
        return self._selecting.is_active

    def fork_of(self, message: Message) -> tuple[int, int]:
        """Which of how many siblings a message is, counted from 1."""
        return self._forks.get(message.id, (1, 1))

    def show(
        self, messages: Sequence[Message], forks: Mapping[int, tuple[int, int]] | None = None
    ) -> None:
        """Replace everything, and go to the end; the cursor stays on its message if it can."""
        self._selecting.end()
        self._forks = dict(forks or {})
        super().show(messages, forks)
        if self._document.index_of(self._chosen_id) is None:
            self._chosen_id = None
        self._mark()

    def show_match(self, message_id: int, text: str) -> bool:
        """Go to the first hit in one message, which gets the cursor; see `SearchableView`."""
        if self._document.index_of(message_id) is not None:
            self._chosen_id = message_id
        return super().show_match(message_id, text)

    def set_forks(self, forks: Mapping[int, tuple[int, int]]) -> None:
        """Which messages have siblings now."""
        if dict(forks) != self._forks:
            self._forks = dict(forks)
            place = self._place()
            self._document.set_forks(forks)
            self._settle(place)
            self.post_message(CursorMoved())

    def finish(self, message: Message) -> None:
        """A message's final values."""
        super().finish(message)
        if message.id == self._chosen_id:
            self.post_message(CursorMoved())

    def choose(self, message_id: int | None = None) -> None:
        """Put the cursor on a message (the last visible one unless told) and go there."""
        if self._document.is_empty:
            return
        index = self._document.index_of(message_id)
        if index is None:
            index = cursor.last_visible(self._document, self._window)
        self.focus()
        self._choose(index)

    def on_focus(self) -> None:
        """The cursor appears."""
        self._mark(shown=True)

    def on_blur(self) -> None:
        """The cursor disappears; its message is remembered."""
        self._selecting.end()
        self._mark(shown=False)

    def on_click(self, event: events.Click) -> None:
        """Go to new text, fold, show a preview, or choose the message that was clicked on."""
        if self._has_news and event.y == self.size.height - 1:
            self.action_scroll_end()
            return
        if self._document.is_empty or self.text_selection is not None:
            return
        y = round(self.scroll_y) + event.y
        if y >= self._document.height:
            return
        index, target = self._document.target(y)
        self._chosen_id = self._document.message(index).id
        self._mark()
        if target is not None:
            self._toggle(self._chosen_id, target)

    def action_move(self, direction: int) -> None:
        """To the next message (1) or the one before (-1), through long ones line by line."""
        if self._document.is_empty:
            return
        if self._selecting.is_active:
            self._selecting.move(direction)
            return
        chosen = self._document.index_of(self._chosen_id)
        match cursor.move(self._document, self._window, chosen, direction):
            case ("choose", index):
                self._choose(index)
            case ("scroll", _):
                self.scroll_relative(y=direction, animate=False, immediate=True)
            case _:
                self.action_scroll_end()

    def action_copy(self) -> None:
        """Copy the selected lines, else the message as it was written."""
        selected = self._selecting.text()
        message = self.target
        if selected is not None:
            self._copy(selected, f"Copied {counted(len(selected), 'character')}.")
            self._selecting.end()
            self.post_message(CursorMoved())
        elif message is not None:
            text = source_of(message)
            self._copy(text, f"Copied the message: {counted(len(text), 'character')}.")

    def action_copy_code(self) -> None:
        """Copy the message's next code block."""
        message = self.target
        blocks = code_blocks(message.text) if message else ()
        if message is None or not blocks:
            self.notify("There is no code block in this message.", markup=False)
            return
        last_id, last = self._copied_block
        number = (last + 1) % len(blocks) if last_id == message.id else 0
        self._copied_block = (message.id, number)
        lines = blocks[number].count("\n") + 1
        which = f" {number + 1} of {len(blocks)}" if len(blocks) > 1 else ""
        self._copy(blocks[number], f"Copied code block{which}: {counted(lines, 'line')}.")

    def action_edit(self) -> None:
        """Write the question anew."""
        message = self.target
        if message is not None and message.role == "user":
            self.post_message(EditRequested(message.id))

    def action_ask(self, kind: ActionKind) -> None:
        """Ask the parent to do something with the message; undoing needs none."""
        message = self.target
        if message is not None or kind == "undo":
            self.post_message(ActionRequested(kind, message.id if message else 0))

    def action_select(self) -> None:
        """Begin to select lines, or stop it."""
        if self._selecting.is_active:
            self._selecting.end()
        else:
            index = self._document.index_of(self._chosen_id)
            if index is not None:
                self._selecting.begin(max(self._document.span(index)[0] + 1, self._window.top))
        self.post_message(CursorMoved())

    def action_leave(self) -> None:
        """Stop selecting, else back to the composer."""
        if self._selecting.is_active:
            self.action_select()
        else:
            self.post_message(ActionRequested("leave", self._chosen_id or 0))

    def _choose(self, index: int) -> None:
        self._chosen_id = self._document.message(index).id
        self._mark()
        self._bring_into_view(index)

    def _mark(self, *, shown: bool | None = None) -> None:
        """Show the cursor if the focus is here: where it was, else on the last visible message."""
        is_shown = self.has_focus if shown is None else shown
        if is_shown and self.chosen is None and not self._document.is_empty:
            index = cursor.last_visible(self._document, self._window)
            self._chosen_id = self._document.message(index).id
        chosen = self._document.index_of(self._chosen_id)
        self._document.chosen = chosen if is_shown else None
        self._settle()
        self.post_message(CursorMoved())

    def _copy(self, text: str, sentence: str) -> None:
        self.app.copy_to_clipboard(text)
        self.notify(sentence, markup=False)
