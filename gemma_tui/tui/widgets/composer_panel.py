"""The lower part of the chat screen: the last problem, the chips, and the composer: one draft.

It assembles and shows drafts. Reading files, storing and sending are the screen's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import on
from textual.containers import Vertical
from textual.message import Message as Event
from textual.widgets import TextArea

from gemma_tui.conversation import Draft
from gemma_tui.tui.widgets.attachment_tray import AttachmentTray
from gemma_tui.tui.widgets.completion_list import CompletionList
from gemma_tui.tui.widgets.composer import MAX_PASTE_LENGTH, Composer
from gemma_tui.tui.widgets.note_line import NoteLine
from gemma_tui.tui.widgets.status_line import ProblemLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from gemma_tui.conversation import Message

EDITING: Final = (
    "You edit an earlier question: Enter asks it anew in a branch, Esc leaves it as it was."
)
EDITING_WITH_DRAFT: Final = f"{EDITING} Then your draft is here again."
"""What stands above a question that is being edited."""


class ComposerPanel(Vertical):
    """Where a draft is written."""

    class DraftChanged(Event):
        """Text or attachments changed by the user's hand."""

    class AllRead(Event):
        """The last file that was being read is attached, or refused."""

    def __init__(self) -> None:
        super().__init__()
        self.problem = ProblemLine()
        """Says what went wrong."""
        self.tray = AttachmentTray()
        """The chips."""
        self.completion = CompletionList()
        """What `/` or `@` may stand for."""
        self.note = NoteLine()
        """What the user must know before Enter."""
        self.composer = Composer()
        """The text."""
        self._editing: Message | None = None
        self._aside = Draft()
        self._cost = ""
        self._own: str | None = None
        self._is_own_joined = False

    def compose(self) -> ComposeResult:
        """Problem, chips, what could be meant, text."""
        yield self.problem
        yield self.tray
        yield self.completion
        yield self.note
        yield self.composer

    @property
    def draft(self) -> Draft:
        """What must be kept: what is shown, and what was typed before something else was shown."""
        shown, question = self.shown, self._editing
        if question is None:
            return shown
        is_changed = shown != Draft(question.text, question.attachments)
        return self._aside.followed_by(shown) if is_changed else self._aside

    @property
    def shown(self) -> Draft:
        """The draft that Enter would send; behind what was typed before it, if it looks back."""
        text = self.composer.text
        if self._own is not None:
            text = "\n".join(filter(None, (self._own, text if self._is_own_joined else "")))
        return Draft(text, self.tray.attachments)

    @property
    def editing(self) -> Message | None:
        """The question that is being asked anew, in place of an answer to the last one."""
        return self._editing

    def edit(self, question: Message, words: Draft | None = None) -> None:
        """Show a question to be asked anew; what was typed is kept aside until that is over.

        Args:
            question: As it was asked.
            words: As it is to be asked; None is as it was.
        """
        if self._editing is None:
            self._aside = self.shown
        self._editing = question
        self.load(words or Draft(question.text, question.attachments))
        self.note.tell(EDITING if self._aside.is_empty else EDITING_WITH_DRAFT)
        self.composer.focus()
        self.post_message(self.DraftChanged())

    def leave_editing(self) -> None:
        """Show what was typed before; Ctrl+Z brings the edited words back."""
        aside = self._aside
        self.drop_editing()
        put = self.composer.replace(aside.text, (0, 0), self.composer.document.end)
        self.composer.move_cursor(put.end_location)
        self.tray.load(aside.attachments)
        self._show_hint()
        self.post_message(self.DraftChanged())

    def take_editing(self) -> Message | None:
        """The question that is being edited, if one is; what was typed before is shown again."""
        question, aside = self._editing, self._aside
        self.drop_editing()
        if question is not None:
            self.load(aside)
        return question

    def drop_editing(self) -> None:
        """Another draft is shown: nothing is edited any more."""
        self._editing, self._aside = None, Draft()
        self.note.tell("")

    @property
    def is_looking_back(self) -> bool:
        """Whether an earlier question stands in the composer."""
        return self._own is not None

    def show_earlier(self, text: str | None) -> None:
        """Show an earlier question without losing what was typed; None shows that again.

        An earlier question that was changed counts as typed, too.
        """
        own = self.shown.text
        with self.prevent(TextArea.Changed):
            self.composer.take(own if text is None else text)
        self._own, self._is_own_joined = (None if text is None else own), False

    def show_cost(self, cost: str) -> None:
        """Say below the text what it costs to send it."""
        if cost != self._cost:
            self._cost = cost
            self._show_hint()

    def load(self, draft: Draft) -> None:
        """Show another draft."""
        self._own = None
        with self.prevent(TextArea.Changed):
            self.composer.take(draft.text)
        self.tray.load(draft.attachments)
        self._show_hint()

    def take_with(self, text: str) -> Draft:
        """Take the chips off, to go with a text that was taken off before."""
        draft = Draft(text, self.tray.attachments)
        self.tray.load(())
        if self._own is not None:
            self.show_earlier(None)
        self._show_hint()
        return draft

    def append(self, newer: Draft) -> None:
        """Put what was written meanwhile behind the draft."""
        self.load(self.shown.followed_by(newer))

    def give_back(self, draft: Draft) -> None:
        """Put a draft that could not be sent in front of what was written meanwhile."""
        newer = self.shown
        self.load(draft)
        self.append(newer)
        self.post_message(self.DraftChanged())

    def _show_hint(self) -> None:
        has_picture = any(item.kind == "image" for item in self.tray.attachments)
        hints = [self._cost] if self._cost else []
        hints += ["F4 token budget"] if has_picture else []
        hints += ["Shift+Tab to the chips"] if self.tray.attachments else []
        while len(hints) > 1 and len(" · ".join(hints)) > self.size.width - 6:
            hints.pop()
        self.composer.border_subtitle = " · ".join(hints)

    @on(TextArea.Changed)
    def _text_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.composer.undoes_elsewhere = False
        self._is_own_joined = True
        self.post_message(self.DraftChanged())

    @on(AttachmentTray.Changed)
    def _tray_changed(self, event: AttachmentTray.Changed) -> None:
        event.stop()
        self.composer.undoes_elsewhere = self.tray.can_restore
        self._show_hint()
        if not self.tray.attachments:
            self.composer.focus()
        self.post_message(self.DraftChanged())

    def no_longer_pending(self, name: str) -> None:
        """A file was read, or cannot be."""
        left = list(self.tray.pending)
        if name in left:
            left.remove(name)
            self.tray.pending = tuple(left)
            if not left:
                self.post_message(self.AllRead())

    @on(Composer.UndoRequested)
    def _undo(self, event: Composer.UndoRequested) -> None:
        event.stop()
        self.tray.restore()

    @on(Composer.PasteRefused)
    def _paste_refused(self, event: Composer.PasteRefused) -> None:
        event.stop()
        self.problem.tell(
            f"That paste has {event.length:,} characters and was not inserted."
            f" At most {MAX_PASTE_LENGTH:,} can be pasted at once: paste the part that matters."
        )
