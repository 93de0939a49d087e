"""Engines for tests: one that all share, and as many of their own as they like to break."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import pytest
import pytest_asyncio

from gemma_tui.chat import Chat
from gemma_tui.engine.client import EngineClient
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.engine.scenes import endless

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from gemma_tui.paths import Paths


@pytest.fixture(scope="session")
def endless_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in model, but it goes on until it is stopped."""
    return endless(tiny_model, tmp_path_factory.mktemp("model"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(
    tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[EngineClient]:
    """A running engine with the built-in model, which is loaded: what is attached asks for it."""
    client = EngineClient(tmp_path_factory.mktemp("engine") / "engine.log")
    await client.load(tiny_model)
    yield client
    await client.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def talker(
    endless_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[EngineClient]:
    """A running engine whose replies only end when they are stopped."""
    client = EngineClient(tmp_path_factory.mktemp("talker") / "engine.log")
    await client.start(endless_model)
    yield client
    await client.close()


@pytest_asyncio.fixture(loop_scope="session")
async def store(paths: Paths) -> AsyncIterator[ConversationStore]:
    """An empty store."""
    database = await Database.open(paths.database)
    yield ConversationStore(database)
    await database.close()


@pytest.fixture
def chat(store: ConversationStore, paths: Paths, engine: EngineClient) -> Chat:
    """Chats with the shared engine, in that store."""
    return Chat(store, BlobStore(paths.blobs), engine)


class NewEngine(Protocol):
    """Makes an engine client that is closed when the test ends."""

    def __call__(self, command: Sequence[str] | None = None) -> EngineClient: ...


@pytest_asyncio.fixture(loop_scope="session")
async def new_engine(tmp_path: Path) -> AsyncIterator[NewEngine]:
    """A client of its own for each call; its log is `engine.log` in the test's folder."""
    async with AsyncExitStack() as stack:

        def make(command: Sequence[str] | None = None) -> EngineClient:
            client = EngineClient(tmp_path / "engine.log", command=command)
            stack.push_async_callback(client.close)
            return client

        yield make
