"""A verification in a thread, with its progress told on the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from gemma_tui.hub.verify import Verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gemma_tui.hub.verify import VerifyProgress


async def verified(
    events: Iterator[VerifyProgress | Verified], show: Callable[[str], None]
) -> tuple[str, ...]:
    """Run a verification; returns the names of what is damaged.

    Args:
        events: Blocks between one and the next.
        show: Told how far it is, in a few words.

    Raises:
        GemmaError: It cannot be verified.
    """
    stop, loop = threading.Event(), asyncio.get_running_loop()

    def run() -> tuple[str, ...]:
        for event in events:
            if isinstance(event, Verified):
                return event.damaged
            if stop.is_set():  # the app is left; a model takes minutes
                break
            share = 100 * event.done_bytes // max(1, event.total_bytes)
            loop.call_soon_threadsafe(show, f"verifying {share} %")
        return ()

    try:
        return await asyncio.to_thread(run)
    finally:
        stop.set()
