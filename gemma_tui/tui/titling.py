"""Lets the model write titles while it has nothing else to do."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from gemma_tui.conversation import MessageState
from gemma_tui.errors import GemmaError
from gemma_tui.generation import Finished, TextDelta
from gemma_tui.title import clean_title, title_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.worker import Worker

    from gemma_tui.conversation import Message
    from gemma_tui.engine.interface import Engine
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.perform import Perform


class Titling:
    """Writes the title of a conversation once its first reply is complete.

    Never over a title the user gave, and never with the built-in model, whose titles would be
    nonsense: then the first question stays the title. Whatever goes wrong, it does, too.

    Args:
        store: Keeps titles.
        engine: Writes them.
        perform: Runs a coroutine function as a worker.
        is_wanted: Whether the user lets the model write titles.
    """

    def __init__(
        self,
        store: ConversationStore,
        engine: Engine,
        perform: Perform,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._engine = engine
        self._perform = perform
        self._is_wanted = is_wanted
        self._running: Worker[None] | None = None
        self._tried: set[int] = set()

    def begin(self, reply: Message | None, show: Callable[[], Awaitable[None]]) -> None:
        """Write a title if a conversation needs one.

        Args:
            reply: What has just been written.
            show: Called when there is a new title.
        """
        model = self._engine.state.model
        if reply is None or reply.state is not MessageState.COMPLETE or not reply.text.strip():
            return
        if model is None or model.is_demo or not self._is_wanted():
            return
        if reply.conversation_id not in self._tried:
            self._running = self._perform(partial(self._write, reply.conversation_id, show))

    def cancel(self) -> None:
        """The model is needed: stop at once. The next reply gives another occasion."""
        if self._running is not None:
            self._running.cancel()
            self._running = None

    async def _write(self, conversation_id: int, show: Callable[[], Awaitable[None]]) -> None:
        conversation = await self._store.get(conversation_id)
        branch = await self._store.messages(conversation_id)
        if conversation.title_origin != "question" or len(branch) < 2 or conversation.deleted:
            return
        request, text, is_finished = title_request(branch[0], branch[1]), "", False
        try:
            async with aclosing(self._engine.generate(request)) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        text += event.text
                    elif isinstance(event, Finished):
                        is_finished = event.reason == "stop"
        except GemmaError:
            return  # a title is no reason to trouble anybody
        self._tried.add(conversation_id)
        if is_finished and (title := clean_title(text)):
            await self._store.suggest_title(conversation_id, title)
            await show()
