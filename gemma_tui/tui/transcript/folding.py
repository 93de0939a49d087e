"""What a message hides until the reader wants it: thoughts, tool calls, previews, details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.tui.transcript.requests import PreviewRequested
from gemma_tui.tui.transcript.searching import SearchableView
from gemma_tui.tui.transcript.sections import Chip

if TYPE_CHECKING:
    from gemma_tui.conversation import Message
    from gemma_tui.generation import MediaPreview
    from gemma_tui.tui.graphics.kitty import Graphic
    from gemma_tui.tui.transcript.sections import Target


class FoldingView(SearchableView):
    """A transcript whose messages fold and unfold."""

    @property
    def target(self) -> Message | None:
        """What an action is about: the last message."""
        document = self._document
        return None if document.is_empty else document.message(document.count - 1)

    def can_unfold(self, message: Message) -> bool:
        """Whether Enter shows or folds something of it."""
        entry = self._document.entry(message.id)
        return bool(_shown_in_small(message)) or (entry is not None and entry.has_folds)

    def show_preview(self, message_id: int, number: int, preview: MediaPreview | Graphic) -> None:
        """Show an attachment in small, below its name."""
        entry = self._document.entry(message_id)
        if entry is not None:
            place = self._place()
            entry.show_preview(number, preview)
            self._redraw(message_id, place)

    def action_unfold(self) -> None:
        """Fold or unfold what the message hides: thoughts, tool calls, attachments in small."""
        message = self.target
        if message is None:
            return
        entry = self._document.entry(message.id)
        if entry is not None and entry.has_folds:
            place = self._place()
            entry.toggle()
            self._redraw(message.id, place)
        for number in _shown_in_small(message):
            self._toggle(message.id, Chip(number))

    def action_toggle_thoughts(self) -> None:
        """Unfold all thoughts, or fold them."""
        place = self._place()
        self._document.toggle_thoughts()
        self._settle(place)

    def action_details(self) -> None:
        """Show or hide what is known of how the message came to be."""
        message = self.target
        entry = self._document.entry(message.id) if message else None
        if message is not None and entry is not None:
            place = self._place()
            entry.toggle_details()
            self._redraw(message.id, place)

    def _toggle(self, message_id: int, target: Target) -> None:
        entry = self._document.entry(message_id)
        if entry is None:
            return
        if isinstance(target, Chip) and not entry.knows_preview(target.number):
            self.post_message(PreviewRequested(message_id, target.number))
            return
        place = self._place()
        if isinstance(target, Chip):
            entry.toggle_preview(target.number)
        else:
            entry.toggle(target)
        self._redraw(message_id, place)


def _shown_in_small(message: Message) -> list[int]:
    """The places of the attachments that have a preview."""
    return [n for n, item in enumerate(message.attachments) if item.kind != "text"]
