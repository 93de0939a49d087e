"""Work that is given up when the client has gone or takes nothing any more, or the server ends."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from starlette.responses import Response

from gemma_tui.errors import ApiRequestError
from gemma_tui.serve.reply_format import error_object, server_event

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from starlette.types import Receive, Scope, Send

_T = TypeVar("_T")

SLOW_CLIENT_SECONDS: Final = 60.0
"""How long a client may take to send or to take the next piece: others wait for it."""


class ClientGoneError(Exception):
    """The client has closed its connection; nobody is there to be told."""


async def unless_gone(receive: Receive, ending: asyncio.Event, work: Coroutine[Any, Any, _T]) -> _T:
    """Do some work, unless it becomes pointless before it is done.

    Args:
        receive: Of a request whose body was read.
        ending: Set when the server is to end.
        work: Is cancelled when the client has gone, or the server is to end.

    Raises:
        ClientGoneError: The client has closed its connection.
        ApiRequestError: The server ends.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    ended = asyncio.ensure_future(ending.wait())
    everything = task, gone, ended
    try:
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if gone.done():
            raise ClientGoneError
        raise ApiRequestError("The server ends.", "Start it again.", status=503, code="ending")
    finally:
        for waiting in everything:
            waiting.cancel()
        await asyncio.gather(*everything, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """A response made of pieces, each sent as it comes.

    Args:
        pieces: Is closed in any case, at once when the client has gone.
        ending: Set when the server is to end: then an error is the last piece.
    """

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes, None], ending: asyncio.Event) -> None:
        self.status_code = 200
        self.background = None
        self._pieces = pieces
        self._ending = ending
        self.init_headers({"cache-control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send everything (called by Starlette)."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        with suppress(ClientGoneError):
            async with aclosing(self._pieces):
                try:
                    await unless_gone(receive, self._ending, self._send(send))
                except ApiRequestError as error:
                    await _within(send, server_event(error_object(error)[1]), more=True)
            await _within(send, b"", more=False)

    async def _send(self, send: Send) -> None:
        async for piece in self._pieces:
            await _within(send, piece, more=True)


async def _within(send: Send, piece: bytes, *, more: bool) -> None:
    try:
        async with asyncio.timeout(SLOW_CLIENT_SECONDS):
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    except TimeoutError:
        raise ClientGoneError from None
