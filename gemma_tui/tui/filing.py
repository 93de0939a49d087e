"""What can be done to a whole conversation: title, tags, pin, archive, delete and undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gemma_tui.errors import GemmaError, StorageError
from gemma_tui.frontend.tags import tags_in
from gemma_tui.sanitize import sanitize_line
from gemma_tui.storage.open_tabs import OpenTabs
from gemma_tui.tui.widgets.conversation_rows import UNTITLED

if TYPE_CHECKING:
    from textual.app import App

    from gemma_tui.conversation import Conversation
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.desk import Desk
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.widgets.conversation_requests import Edit


class Filing:
    """Changes conversations in the store, and what shows them.

    Args:
        store: Conversations.
        desk: Reads the list again.
        page: The open conversation.
    """

    def __init__(self, store: ConversationStore, desk: Desk, page: Page) -> None:
        self._store = store
        self._desk = desk
        self._page = page

    async def write(self, edit: Edit, conversation_id: int, text: str) -> None:
        """Give a conversation a title, or tags.

        Args:
            edit: Which of them.
            conversation_id: The conversation.
            text: An empty title lets the next question give one; tags have commas between them.
        """
        if edit == "rename":
            title = " ".join(text.split())
            if title == (await self._store.get(conversation_id)).title:
                return  # it stays whoever's it is
            changed = await self._store.rename(conversation_id, title)
        else:
            changed = await self._store.set_tags(conversation_id, tags_in(text))
        await self._show(changed)

    async def pin(self, conversation: Conversation) -> None:
        """Keep a conversation at the top of the list, or do not any more."""
        now = await self._store.get(conversation.id)
        change = self._store.unpin if now.is_pinned else self._store.pin
        await self._show(await change(now.id))

    async def archive(self, conversation: Conversation) -> str:
        """Take a conversation out of the list, or back into it; returns a sentence that says so."""
        name = quoted(conversation)
        # As it is now: a new message has brought an archived one back.
        if (await self._store.get(conversation.id)).is_archived:
            await self._show(await self._store.unarchive(conversation.id))
            return f"{name} is back in the list."
        await self._show(await self._store.archive(conversation.id))
        return f"{name} is archived. A in the list shows what is; a search finds it."

    async def undo_delete(self, app: App[Any]) -> None:
        """Bring back what was deleted last, and say so in place of how to."""
        deleted = self._desk.deleted
        if not deleted:
            return
        wanted = deleted.pop()  # at once: the next undo is for the one before
        try:
            await self._store.restore(wanted.id)
        except GemmaError:
            deleted.append(wanted)
            raise
        await self._desk.open(wanted.id)
        app.clear_notifications()  # one of them offers what was just done
        app.notify(f"{quoted(wanted)} is back.", markup=False)

    async def _show(self, changed: Conversation) -> None:
        if self._page.conversation_id == changed.id:
            self._page.conversation = changed
        await self._desk.refresh_list()


def quoted(conversation: Conversation) -> str:
    """A conversation in a sentence."""
    return f"“{sanitize_line(conversation.title) or UNTITLED}”"


async def still_there(store: ConversationStore, left: OpenTabs | None) -> OpenTabs | None:
    """What was open and has not been deleted meanwhile.

    Returns:
        None if that is no conversation at all, or not the one that was shown.
    """
    if left is None or left.conversation_ids == (None,):
        return None
    found: list[int | None] = []
    for key in left.conversation_ids:
        try:
            if key is None or not (await store.get(key)).deleted:
                found.append(key)
        except StorageError:
            continue
    if left.current_id not in found:
        return None
    return OpenTabs(tuple(found), found.index(left.current_id))
