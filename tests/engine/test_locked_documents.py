"""A locked document through the real engine: its password is asked for, and left nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import LockedDocumentError
from gemma_tui.storage.blobs import BlobStore
from tests.preprocessing import documents
from tests.preprocessing.locked_documents import locked

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.chat import Chat
    from gemma_tui.paths import Paths

pytest.importorskip("pypdfium2", reason="the extra gemma-tui[pdf] is not installed")
pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "correct horse battery staple"


class Typed:
    """Passwords, as somebody types them."""

    def __init__(self, *passwords: str) -> None:
        self._left = list(passwords)
        self.asked: list[tuple[str, bool]] = []

    async def __call__(self, name: str, is_wrong: bool) -> str | None:
        self.asked.append((name, is_wrong))
        return self._left.pop(0) if self._left else None


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.pdf"
    path.write_bytes(locked([documents.words("one"), documents.words("two")], PASSWORD, "owner"))
    return path


@pytest.fixture
def blobs(paths: Paths) -> BlobStore:
    return BlobStore(paths.blobs)


def stored(blobs: BlobStore) -> list[Path]:
    folder = blobs.path_of("0" * 64).parents[1]
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_the_password_is_asked_for_until_it_opens_the_document(
    chat: Chat, blobs: BlobStore, letter: Path
) -> None:
    before = set(stored(blobs))
    typed = Typed("wrong", PASSWORD)
    found = await chat.attach(letter, ask_password=typed)
    assert typed.asked == [("letter.pdf", False), ("letter.pdf", True)]
    assert (found.name, len(found.segments)) == ("letter.pdf", 2)
    (kept,) = set(stored(blobs)) - before
    assert kept == blobs.path_of(found.sha256)
    assert b"/Encrypt" not in kept.read_bytes()
    assert PASSWORD.encode() not in kept.read_bytes()
    chosen = await chat.documents.choose(found, "2")  # as after a restart: nobody is asked again
    assert len(chosen.segments) == 1


async def test_without_a_password_nothing_is_kept(
    chat: Chat, blobs: BlobStore, letter: Path
) -> None:
    before = set(stored(blobs))
    for typed in (None, Typed(), Typed("wrong")):
        with pytest.raises(LockedDocumentError, match=r"letter\.pdf"):
            await chat.attach(letter, ask_password=typed)
        assert set(stored(blobs)) == before
