"""Keeps what the composer holds in the store, a moment after the last key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Draft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.conversation import Conversation
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

SAVE_DELAY_SECONDS: Final = 0.2
"""What a kill -9 may cost of a draft."""

SEARCHED_CONVERSATIONS: Final = 50
"""How many of the newest conversations are looked into for a draft at the start."""


class DraftKeeper:
    """Saves the draft of the page that is open.

    Args:
        store: Where drafts are kept.
        page: Whose draft it is.
        panel: Holds it.
    """

    def __init__(self, store: ConversationStore, page: Page, panel: ComposerPanel) -> None:
        self._store = store
        self._page = page
        self._panel = panel
        self._saved: dict[int | None, Draft] = {}
        self.is_paused = True
        """Set while the composer does not hold the page's draft: before that is loaded, and while
        it is on its way to becoming a message."""

    @property
    def is_dirty(self) -> bool:
        """Whether the composer holds something that is not saved."""
        saved = self._saved.get(self._page.conversation_id, Draft())
        return not self.is_paused and saved != self._panel.draft

    @property
    def kept(self) -> frozenset[int | None]:
        """Conversations with a draft, as far as it was looked for; None is the new one."""
        return frozenset(key for key, draft in self._saved.items() if draft != Draft())

    async def find(self, conversations: Sequence[Conversation]) -> int | None:
        """Which conversation to begin with: where unsent words are, else the newest.

        Args:
            conversations: Newest first.

        Returns:
            An id, or None for the new conversation.
        """
        for conversation_id in (None, *(c.id for c in conversations[:SEARCHED_CONVERSATIONS])):
            await self.load(conversation_id)
        newest = conversations[0].id if conversations else None
        return next((key for key in self._saved if key in self.kept), newest)

    async def load(self, conversation_id: int | None) -> Draft:
        """The draft kept for a conversation."""
        draft = await self._store.load_draft(conversation_id)
        self._saved[conversation_id] = draft
        return draft

    async def save(self) -> None:
        """Save what the composer holds, if it is not saved already.

        Raises:
            StorageError: It cannot be saved; the next call tries again.
        """
        if self.is_dirty:
            conversation_id, draft = self._page.conversation_id, self._panel.draft
            await self._store.save_draft(conversation_id, draft)
            self._saved[conversation_id] = draft

    async def clear_new(self) -> None:
        """The new conversation exists now, and its draft is a message."""
        await self._store.save_draft(None, Draft())
        self.forget(None)

    def forget(self, conversation_id: int | None) -> None:
        """The store emptied this draft by itself when it became a message."""
        self._saved[conversation_id] = Draft()
