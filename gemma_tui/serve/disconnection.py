"""Work that is given up when the client has gone, or takes nothing any more."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from starlette.types import Receive, Scope, Send

_T = TypeVar("_T")

SLOW_CLIENT_SECONDS: Final = 60.0
"""How long a client may take to send or to take the next piece: others wait for it."""


class ClientGoneError(Exception):
    """The client has closed its connection; nobody is there to be told."""


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, _T]) -> _T:
    """Do some work, unless the client closes its connection before it is done.

    Args:
        receive: Of a request whose body was read.
        work: Is cancelled when the client has gone.

    Raises:
        ClientGoneError: It has.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError
        return task.result()
    finally:
        for waiting in (task, gone):
            waiting.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """A response made of pieces, each sent as it comes.

    Args:
        pieces: Is closed in any case, at once when the client has gone.
    """

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self.status_code = 200
        self.background = None
        self._pieces = pieces
        self.init_headers({"cache-control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send everything (called by Starlette)."""
        async with aclosing(self._pieces):
            with suppress(ClientGoneError):
                await unless_gone(receive, self._send(send))

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for piece in self._pieces:
            await _within(send, piece, more=True)
        await _within(send, b"", more=False)


async def _within(send: Send, piece: bytes, *, more: bool) -> None:
    try:
        async with asyncio.timeout(SLOW_CLIENT_SECONDS):
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    except TimeoutError:
        raise ClientGoneError from None
