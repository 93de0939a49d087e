"""Two installations: one that exports, one that imports; and a way to look into small files."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest_asyncio

from gemma_tui.errors import UnsupportedFormatError
from gemma_tui.exchange.exporter import Exporter
from gemma_tui.exchange.importer import Importer
from gemma_tui.generation import MediaInfo
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.trees import TreeStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gemma_tui.storage.trees import Tree

    Known = list[tuple[Tree, dict[str, bytes]]]


async def probe(path: Path, name: str) -> MediaInfo:
    """Files of these tests say what they are in their first bytes; sizes follow from the length."""
    content = await asyncio.to_thread(path.read_bytes)
    if content.startswith(b"picture"):
        return MediaInfo("image", "image/png", width=len(content), height=2)
    if content.startswith(b"sound"):
        return MediaInfo("audio", "audio/wav", sample_count=320 * len(content))
    raise UnsupportedFormatError(f"“{name}” is neither a picture nor a sound.")


@dataclass(frozen=True)
class Place:
    """An open installation."""

    folder: Path
    database: Database
    store: ConversationStore
    trees: TreeStore
    blobs: BlobStore

    @classmethod
    async def open(cls, folder: Path) -> Place:
        database = await Database.open(folder / "conversations.db")
        store, trees = ConversationStore(database), TreeStore(database)
        return cls(folder, database, store, trees, BlobStore(folder / "blobs"))

    @property
    def exporter(self) -> Exporter:
        return Exporter(self.trees, self.blobs)

    @property
    def importer(self) -> Importer:
        return Importer(self.trees, self.blobs, probe)

    @property
    def blob_files(self) -> list[Path]:
        return sorted((self.folder / "blobs").glob("*/*"))

    async def as_json(self) -> bytes:
        """Everything, as it would be exported."""
        ids = await self.trees.ids()
        return b"".join([piece async for piece in self.exporter.pieces(ids, "json")])

    async def fill(self, known: Known) -> None:
        """Store conversations as an app would have, in this order."""
        ids = []
        for tree, contents in known:
            for sha256, content in contents.items():
                file = self.folder / "content"
                await asyncio.to_thread(file.write_bytes, content)
                assert (await self.blobs.add_file(file)).sha256 == sha256
            ids.append(await self.trees.insert_hidden(tree))
        await self.trees.reveal(ids)

    async def rows(self) -> int:
        """Every conversation there is, hidden ones too."""
        return await self.database.read(
            lambda c: int(c.execute("SELECT count(*) FROM conversation").fetchone()[0])
        )


class NewPlace(Protocol):
    """Makes an installation that is closed when the test ends."""

    async def __call__(self, name: str) -> Place: ...


@pytest_asyncio.fixture
async def new_place(tmp_path: Path) -> AsyncIterator[NewPlace]:
    async with AsyncExitStack() as stack:

        async def make(name: str) -> Place:
            place = await Place.open(tmp_path / name)
            stack.push_async_callback(place.database.close)
            return place

        yield make


@pytest_asyncio.fixture
async def here(new_place: NewPlace) -> Place:
    return await new_place("here")


@pytest_asyncio.fixture
async def there(new_place: NewPlace) -> Place:
    return await new_place("there")
