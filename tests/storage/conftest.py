"""A store on a real file, and a way to open it again as the next start of the program does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gemma_tui.paths import Paths


@pytest_asyncio.fixture
async def database(paths: Paths) -> AsyncIterator[Database]:
    opened = await Database.open(paths.database)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def store(database: Database) -> ConversationStore:
    return ConversationStore(database)
