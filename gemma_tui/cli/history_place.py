"""The stores that `gemma-tui history` works with, opened for one command."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemma_tui.cli.signals import until_signalled
from gemma_tui.engine.client import EngineClient
from gemma_tui.errors import UsageError
from gemma_tui.exchange.exporter import Exporter
from gemma_tui.exchange.importer import Importer
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.trees import TreeStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gemma_tui.conversation import Conversation
    from gemma_tui.paths import Paths


@dataclass(frozen=True, slots=True)
class HistoryPlace:
    """What is open while a command runs."""

    store: ConversationStore
    trees: TreeStore
    blobs: BlobStore
    engine: EngineClient
    """Starts its process only when an attachment has to be looked into."""

    @property
    def exporter(self) -> Exporter:
        """Writes files."""
        return Exporter(self.trees, self.blobs)

    @property
    def importer(self) -> Importer:
        """Reads files."""
        return Importer(self.trees, self.blobs, self.engine.probe)

    async def existing(self, conversation_id: int, *, deleted: bool = False) -> Conversation:
        """A conversation that is in the list, or one that was deleted.

        Raises:
            UsageError: It is not.
        """
        ids = await self.trees.ids(deleted=deleted)
        if conversation_id not in ids:
            what = "deleted conversation" if deleted else "conversation"
            raise UsageError(
                f"There is no {what} {conversation_id}.", "gemma-tui history list shows them."
            )
        return await self.store.get(conversation_id)


def run_in_place(paths: Paths, work: Callable[[HistoryPlace], Awaitable[None]]) -> int:
    """Do some work with the stores; returns the exit code.

    Raises:
        GemmaError: Whatever kept it from being done.
    """

    async def run() -> None:
        async with _opened(paths) as place:
            await work(place)

    return asyncio.run(until_signalled(run()))


@asynccontextmanager
async def _opened(paths: Paths) -> AsyncIterator[HistoryPlace]:
    async with AsyncExitStack() as stack:
        database = await Database.open(paths.database)
        stack.push_async_callback(database.close)
        engine = EngineClient(paths.engine_log)
        stack.push_async_callback(engine.close)
        store, trees = ConversationStore(database), TreeStore(database)
        yield HistoryPlace(store, trees, BlobStore(paths.blobs), engine)
