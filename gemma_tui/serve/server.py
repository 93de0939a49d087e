"""The loopback listener, and the server that runs on it until a signal ends it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gemma_tui import network
from gemma_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from starlette.applications import Starlette

HOST: Final = "127.0.0.1"

MAX_CONNECTIONS: Final = 64
"""More get status 503 at once."""

HEADER_SECONDS: Final = 20.0
"""How long a new connection may take to send the head of its first request."""

_IDLE_SECONDS: Final = 30
_GRACE_SECONDS: Final = 3
"""How long clients may take to hear that the server ends."""


@contextmanager
def loopback_listener(port: int) -> Iterator[socket.socket]:
    """A socket that listens on a port of this machine only; 0 finds a free one.

    Raises:
        UsageError: The port is taken, or not ours to take.
    """
    with network.listening(HOST, port), socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} cannot be listened on ({error.strerror}).",
                "Choose another: --port N.",
            ) from error
        yield listener


async def run_server(
    application: Starlette, listener: socket.socket, ending: asyncio.Event
) -> None:
    """Serve until Ctrl-C or SIGTERM, which set `ending`."""
    config = uvicorn.Config(
        application,
        http=_PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    await _Server(config, ending).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Tells of a signal at once, so that replies under way do not keep it from ending."""

    def __init__(self, config: uvicorn.Config, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._loop = asyncio.get_running_loop()
        self._announced = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._announced.set)


class _PatientProtocol(H11Protocol):
    """HTTP as uvicorn speaks it; a connection that says nothing is closed after a while."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401  # as uvicorn has it
        super().connection_made(transport)
        asyncio.get_running_loop().call_later(HEADER_SECONDS, self._close_if_silent)

    def _close_if_silent(self) -> None:
        has_asked = bool(self.cycle)  # None until the head of a request is there
        if not has_asked and not self.transport.is_closing():
            self.transport.close()
