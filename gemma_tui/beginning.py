"""The beginning of a turn in the store: whatever happens meanwhile, no row is left streaming."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from gemma_tui.turn import CANCELLED, with_end

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.turn import Begun

T = TypeVar("T")


async def begin(
    store: ConversationStore, work: Coroutine[None, None, T], to_begun: Callable[[T], Begun]
) -> Begun:
    """Store the begin of a turn; if cancelled meanwhile, leave no row that seems to stream.

    Args:
        store: Where the rows are.
        work: Writes them.
        to_begun: Makes the beginning out of what `work` returns.
    """
    storing = asyncio.ensure_future(work)
    try:
        return to_begun(await asyncio.shield(storing))
    except asyncio.CancelledError:
        undoing = asyncio.ensure_future(_undo(store, storing, to_begun))
        while not undoing.done():  # whoever is impatient cancels again
            with suppress(asyncio.CancelledError):
                await asyncio.wait([undoing])
        undoing.result()
        raise


async def _undo(
    store: ConversationStore, storing: asyncio.Future[T], to_begun: Callable[[T], Begun]
) -> None:
    begun = to_begun(await storing)
    await store.finish(with_end(begun.reply, begun.before or CANCELLED))
