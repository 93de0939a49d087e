"""One reply at a time: whoever asks waits in line, and no client crowds the others out."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ApiRequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_WAITING: Final = 16
"""Requests that may wait, of all clients together."""


class FairQueue:
    """Grants turns: to clients in rotation, to the requests of one client as they came.

    Args:
        limit: How many requests may wait.
    """

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._is_taken = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it as long as this context.

        Args:
            client: Who asks.

        Raises:
            ApiRequestError: So many wait that this one may not (status 429).
        """
        await self._wait(client)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, client: str) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        if self.waiting >= self._limit:
            raise ApiRequestError(
                f"{self._limit} requests wait already; this server answers one at a time.",
                "Try again later.",
                status=429,
                code="rate_limit_exceeded",
            )
        granted = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self._forget(client, granted)
            else:
                self._pass_on()  # it was granted in the moment when it was given up
            raise

    def _pass_on(self) -> None:
        """Give the turn to the next client, who then stands behind all others."""
        while self._waiting:
            client, requests = self._waiting.popitem(last=False)
            granted = requests.popleft()
            if requests:
                self._waiting[client] = requests
            if not granted.done():  # else it was given up, and nobody has forgotten it yet
                granted.set_result(None)
                return
        self._is_taken = False

    def _forget(self, client: str, granted: asyncio.Future[None]) -> None:
        requests = self._waiting.get(client)
        if requests and granted in requests:
            requests.remove(granted)
            if not requests:
                del self._waiting[client]
