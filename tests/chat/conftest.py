"""A chat on a real store; what answers is scripted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest_asyncio

from gemma_tui.chat import Chat
from gemma_tui.conversation import Draft
from gemma_tui.options import GenerationOptions
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gemma_tui.conversation import Message
    from gemma_tui.paths import Paths
    from gemma_tui.turn import TurnEvent


@dataclass
class Bench:
    """The parts of a chat, and the usual way to use them."""

    chat: Chat
    store: ConversationStore
    blobs: BlobStore
    engine: ScriptedEngine

    async def ask(
        self, conversation_id: int, draft: Draft | str | None, parent_id: int | None = None
    ) -> list[TurnEvent]:
        """All events of one turn."""
        asked = Draft(draft) if isinstance(draft, str) else draft
        turn = self.chat.reply(
            conversation_id, asked, parent_id=parent_id, options=GenerationOptions()
        )
        return [event async for event in turn]

    async def last(self, conversation_id: int) -> Message:
        """The leaf, as stored."""
        return (await self.store.messages(conversation_id))[-1]


@pytest_asyncio.fixture
async def database(paths: Paths) -> AsyncIterator[Database]:
    opened = await Database.open(paths.database)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def bench(database: Database, paths: Paths) -> Bench:
    store, blobs, engine = ConversationStore(database), BlobStore(paths.blobs), ScriptedEngine()
    return Bench(Chat(store, blobs, engine), store, blobs, engine)
