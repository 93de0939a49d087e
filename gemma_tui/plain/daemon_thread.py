"""Waiting for a line in a thread that does not keep the program from ending."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from gemma_tui.errors import GemmaError

if TYPE_CHECKING:
    from collections.abc import Callable


async def in_daemon_thread(read: Callable[[], str | None]) -> str | None:
    """Wait for a line in a thread that does not keep the program from ending.

    Raises:
        GemmaError: It cannot be read, whatever the reason: nobody waits for a thread that died.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str | None] = loop.create_future()

    def settle(line: str | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(line)

    def work() -> None:
        line: str | None = None
        error: BaseException | None = None
        try:
            line = read()
        except UnicodeDecodeError:
            error = GemmaError("What was typed is not UTF-8.", "Type it in a terminal that is.")
        except Exception as caught:  # noqa: BLE001  # else whoever waits for the line waits forever
            reason = getattr(caught, "strerror", None) or str(caught) or type(caught).__name__
            error = GemmaError(f"The standard input cannot be read ({reason}).")
        with suppress(RuntimeError):  # the program has ended meanwhile
            loop.call_soon_threadsafe(settle, line, error)

    threading.Thread(target=work, daemon=True, name="line").start()
    return await future
