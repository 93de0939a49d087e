"""The answers to one request, on their way from the pipe to whoever asked.

Lives on the event loop. Knows which answer is the last one, nothing of processes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gemma_tui.engine.backlog import Backlog
from gemma_tui.engine.protocol import Event, Failed, Progress

if TYPE_CHECKING:
    from gemma_tui.errors import GemmaError


class Inbox:
    """The answers to one request, merged while nobody takes them.

    Args:
        request_id: The request.
    """

    def __init__(self, request_id: int) -> None:
        self.request_id = request_id
        self.is_ended = False
        """The last answer was taken, or the engine is gone."""
        self._backlog = Backlog()
        self._error: GemmaError | None = None
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an answer."""
        self._backlog.push(self.request_id, event)
        self._arrived.set()

    def fail(self, error: GemmaError) -> None:
        """Nothing more will come; `take` raises `error` after what has arrived."""
        self._error = error
        self._arrived.set()

    async def take(self) -> list[Event]:
        """All answers that have arrived, at least one.

        Raises:
            GemmaError: The request failed, or the engine ended.
        """
        while not len(self._backlog):
            if self._error is not None:
                self.is_ended = True
                raise self._error
            self._arrived.clear()
            await self._arrived.wait()
        events = [event for _, event in self._backlog.take()]
        last = events[-1]
        if isinstance(last, Failed):
            # What arrived before the failure is handed out first.
            self._error = last.to_error()
            return events[:-1] or await self.take()
        self.is_ended = not isinstance(last, Progress)
        return events

    async def last(self) -> Event:
        """The answer to a request that has only one, or whose progress nobody wants."""
        while True:
            events = await self.take()
            if self.is_ended:
                return events[-1]
