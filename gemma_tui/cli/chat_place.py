"""What every chat needs, opened for one run: stores, engine, chat.

The app and plain mode differ in what they show of it only.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemma_tui.bench.saved import SavedBenchmarks
from gemma_tui.chat import Chat
from gemma_tui.cli.engine_place import engine_of
from gemma_tui.errors import StorageError
from gemma_tui.exchange.exchange import Exchange
from gemma_tui.frontend.own_settings import system_prompt_of
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.trees import TreeStore
from gemma_tui.transcription.folder import TranscriptFolder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gemma_tui.engine.interface import Engine
    from gemma_tui.paths import Paths
    from gemma_tui.settings.configuration import Configuration


@dataclass(frozen=True, slots=True)
class ChatPlace:
    """What is open while somebody chats."""

    store: ConversationStore
    blobs: BlobStore
    engine: Engine
    chat: Chat
    exchange: Exchange
    set_aside: Path | None
    """Where a damaged database is kept, if that is why there is a new one."""

    async def tidy(self) -> None:
        """Remove what was deleted in earlier runs, and attachments nobody uses any more."""
        with suppress(StorageError):  # tidying can wait for the next start
            await self.store.purge()
            await self.blobs.collect(await self.store.used_blobs())


@asynccontextmanager
async def opened(paths: Paths, configuration: Configuration) -> AsyncIterator[ChatPlace]:
    """Open everything; close it at the end, the engine process too.

    Args:
        paths: Where conversations and logs are.
        configuration: The settings.

    Raises:
        StorageError: The conversations cannot be opened.
    """
    async with AsyncExitStack() as stack:
        database = await Database.open(paths.database, recover=True, tell=_tell)
        stack.push_async_callback(database.close)
        engine = engine_of(paths, paths.engine_log, paths.engine_cache)
        stack.push_async_callback(engine.close)
        store = ConversationStore(
            database, measured=SavedBenchmarks(paths.benchmarks).prefill_speed
        )
        blobs = BlobStore(paths.blobs)
        await store.mark_interrupted()
        place = ChatPlace(
            store=store,
            blobs=blobs,
            engine=engine,
            chat=Chat(
                *(store, blobs, engine, system_prompt_of(configuration)),
                transcripts=TranscriptFolder(paths.transcripts),
            ),
            exchange=Exchange(TreeStore(database), blobs, engine.probe),
            set_aside=database.set_aside,
        )
        tidying = asyncio.create_task(place.tidy(), name="tidy")
        stack.callback(tidying.cancel)
        yield place


def _tell(sentence: str) -> None:
    """A line before anything is drawn: nobody shall wait for a window and not know why."""
    sys.stderr.write(f"gemma-tui: {sentence}\n")
    sys.stderr.flush()
