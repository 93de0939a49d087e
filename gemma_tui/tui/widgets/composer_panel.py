"""The lower part of the chat screen: the last problem, the chips, and the composer: one draft.

It assembles and shows drafts. Reading files, storing and sending are the screen's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea

from gemma_tui.conversation import Draft
from gemma_tui.tui.widgets.attachment_tray import AttachmentTray
from gemma_tui.tui.widgets.composer import MAX_PASTE_LENGTH, Composer
from gemma_tui.tui.widgets.status_line import ProblemLine

if TYPE_CHECKING:
    from textual.app import ComposeResult


class ComposerPanel(Vertical):
    """Where a draft is written."""

    class DraftChanged(Message):
        """Text or attachments changed by the user's hand."""

    class AllRead(Message):
        """The last file that was being read is attached, or refused."""

    def __init__(self) -> None:
        super().__init__()
        self.problem = ProblemLine()
        """Says what went wrong."""
        self.tray = AttachmentTray()
        """The chips."""
        self.composer = Composer()
        """The text."""

    def compose(self) -> ComposeResult:
        """Problem, chips, text."""
        yield self.problem
        yield self.tray
        yield self.composer

    @property
    def draft(self) -> Draft:
        """What would be sent now."""
        return Draft(self.composer.text, self.tray.attachments)

    def load(self, draft: Draft) -> None:
        """Show another draft."""
        with self.prevent(TextArea.Changed):
            self.composer.take(draft.text)
        self.tray.load(draft.attachments)
        self._show_hint()

    def take_with(self, text: str) -> Draft:
        """Take the chips off, to go with a text that was taken off before."""
        draft = Draft(text, self.tray.attachments)
        self.tray.load(())
        self._show_hint()
        return draft

    def append(self, newer: Draft) -> None:
        """Put what was written meanwhile behind the draft."""
        older = self.draft
        text = "\n".join(part for part in (older.text, newer.text) if part)
        self.load(Draft(text, (*older.attachments, *newer.attachments)))

    def give_back(self, draft: Draft) -> None:
        """Put a draft that could not be sent in front of what was written meanwhile."""
        newer = self.draft
        self.load(draft)
        self.append(newer)
        self.post_message(self.DraftChanged())

    def _show_hint(self) -> None:
        has_picture = any(item.kind == "image" for item in self.tray.attachments)
        hint = "F4 token budget · " if has_picture else ""
        self.composer.border_subtitle = (
            f"{hint}Shift+Tab to the chips" if self.tray.attachments else ""
        )

    @on(TextArea.Changed)
    def _text_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.composer.undoes_elsewhere = False
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
