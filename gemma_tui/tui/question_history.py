"""Walks through what was asked before, in all conversations, as a shell does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

PAGE: Final = 50
"""Questions read at once."""

MAX_KEPT: Final = 1_000
"""Nobody walks back further, key by key."""


class QuestionHistory:
    """Shows earlier questions in the composer; what was typed there comes back behind the latest.

    Args:
        store: Where they are.
        panel: Shows them.
    """

    def __init__(self, store: ConversationStore, panel: ComposerPanel) -> None:
        self._store = store
        self._panel = panel
        self._texts: list[str] = []
        self._last_id: int | None = None
        self._is_all_read = False
        self._place = -1

    async def move(self, step: int) -> None:
        """Show the next older question (1) or the next newer one (-1).

        Raises:
            StorageError: They cannot be read.
        """
        if not self._panel.is_looking_back:
            self._texts, self._last_id, self._is_all_read = [], None, False
            self._place = -1
        place = self._place + step
        if place >= len(self._texts):
            await self._read_more()
        if place < -1 or place >= len(self._texts):
            return
        self._place = place
        self._panel.show_earlier(self._texts[place] if place >= 0 else None)

    async def _read_more(self) -> None:
        wanted = len(self._texts) + 1
        while len(self._texts) < min(wanted, MAX_KEPT) and not self._is_all_read:
            rows = await self._store.questions(self._last_id, PAGE)
            self._is_all_read = len(rows) < PAGE
            for row_id, text in rows:
                self._last_id = row_id
                if text.strip() and text not in self._texts:
                    self._texts.append(text)
