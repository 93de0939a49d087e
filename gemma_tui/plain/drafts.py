"""The message of plain mode that is not sent yet: kept for each conversation, as the app keeps it.

Whoever types finds it at the prompt again. A script neither takes a draft up nor loses one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.conversation import Draft
from gemma_tui.sanitize import sanitize

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment
    from gemma_tui.plain.console import Console
    from gemma_tui.storage.conversations import ConversationStore


class PlainDraft:
    """The draft of the open conversation.

    Args:
        store: Where drafts are kept.
        console: Says whether somebody types.
    """

    def __init__(self, store: ConversationStore, console: Console) -> None:
        self._store = store
        self._console = console
        self._conversation_id: int | None = None
        self._saved = Draft()
        self._aside = Draft()  # kept, but not to be sent from here
        self.offered = ""
        """What is to stand at the next prompt."""

    async def take_up(self, conversation_id: int | None) -> tuple[Attachment, ...] | None:
        """Turn to the draft of a conversation.

        Args:
            conversation_id: Which; None is the one that is not created yet.

        Returns:
            What is attached to it; None if nobody types, and everything stays as it is.
        """
        self._conversation_id, self.offered = conversation_id, ""
        self._saved = draft = await self._store.load_draft(conversation_id)
        can_show = self._console.can_offer and sanitize(draft.text) == draft.text
        self._aside = Draft() if can_show else draft
        if not self._console.edits:
            return None
        if not can_show and not draft.is_empty:
            self._console.note("A message that was not sent is kept, and the app shows it.")
        if not can_show:
            return ()
        self.offered = draft.text
        if draft.text.strip():
            self._console.say(f"Not sent yet, and at the prompt again: {draft.text}")
        return draft.attachments

    async def keep(self, text: str, attachments: tuple[Attachment, ...]) -> None:
        """Save what was typed and attached, if it is not saved already.

        Raises:
            StorageError: It cannot be saved; the next call tries again.
        """
        draft = self._aside.followed_by(Draft(text, attachments))
        if self._console.edits and draft != self._saved:
            await self._store.save_draft(self._conversation_id, draft)
            self._saved = draft

    async def sent(self, conversation_id: int) -> None:
        """The draft has become a message of a conversation, and the store emptied it there."""
        is_new, aside = self._conversation_id is None, self._aside
        if is_new and self._saved != aside:
            await self._store.save_draft(None, aside)
        elif not is_new and aside != Draft():
            await self._store.save_draft(conversation_id, aside)
        self._conversation_id, self.offered = conversation_id, ""
        self._aside = self._saved = Draft() if is_new else aside
