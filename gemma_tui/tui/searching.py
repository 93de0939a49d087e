"""From a hit of the search over everything to the message in its conversation and branch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App

    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.storage.search import SearchPage
    from gemma_tui.tui.perform import Perform
    from gemma_tui.tui.screens.search import SearchChoice
    from gemma_tui.tui.widgets.transcript_panel import TranscriptPanel


class Searching:
    """Opens the search, and goes where its user wants to go.

    Args:
        store: Conversations.
        reading: Shows the message.
        turn_to: Shows a conversation.
        perform: Runs a coroutine function as a worker; shows the `GemmaError` it may raise.
    """

    def __init__(
        self,
        store: ConversationStore,
        reading: TranscriptPanel,
        turn_to: Callable[[int], Awaitable[None]],
        perform: Perform,
    ) -> None:
        self._store = store
        self._reading = reading
        self._turn_to = turn_to
        self._perform = perform
        self._text = ""

    def open(self, app: App[None], text: str = "") -> None:
        """Ask what to look for, with a beginning or with what was looked for last."""
        from gemma_tui.tui.screens.search import SearchScreen  # noqa: PLC0415  # where used

        app.push_screen(SearchScreen(self._find, text or self._text), self._chosen)

    async def _find(self, text: str, before: int | None) -> SearchPage:
        return await self._store.search(text, before=before)

    def _chosen(self, choice: SearchChoice | None) -> None:
        if choice is not None:
            self._text = choice.text
            self._perform(partial(self._go, choice))

    async def _go(self, choice: SearchChoice) -> None:
        key, message_id = choice.conversation_id, choice.message_id
        if message_id is not None:
            shown = await self._store.messages(key)
            if all(message.id != message_id for message in shown):
                await self._store.set_leaf(key, message_id)
        await self._turn_to(key)
        if message_id is not None:
            await self._reading.show_match(message_id, choice.text)
            self._reading.transcript.focus()
