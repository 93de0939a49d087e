"""What is found in folders of every kind; nothing in them is changed."""

from __future__ import annotations

import sqlite3
import subprocess
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import TextPart
from gemma_tui.doctor.finding import State
from gemma_tui.doctor.folders import data_folder, database, disk
from gemma_tui.paths import Paths
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(*(tmp_path / name for name in ("data", "logs", "cache", "config")))


async def fill(paths: Paths) -> Database:
    """A database with a message; it stays open."""
    opened = await Database.open(paths.database)
    store = ConversationStore(opened)
    conversation = await store.create("A title")
    await store.add_message(conversation.id, None, "user", (TextPart("Hello"),))
    return opened


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Modes and bytes of everything."""
    return {
        str(path): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith("-shm")  # locks of whoever reads
    }


async def test_a_database_that_is_open_is_looked_at_and_left_alone(paths: Paths) -> None:
    opened = await fill(paths)
    before = content(paths.data)
    found = database(paths.database)
    assert (found.state, found.topic) == (State.OK, "database")
    assert "1 conversations, 1 messages" in found.sentence
    assert content(paths.data) == before
    await opened.close()
    assert database(paths.database).state is State.OK


def test_nothing_there_yet_is_fine_and_stays_so(paths: Paths) -> None:
    assert database(paths.database).state is State.OK
    assert data_folder(paths).state is State.OK
    assert not paths.data.exists()


async def test_a_damaged_database_is_named_and_kept(paths: Paths) -> None:
    await (await fill(paths)).close()
    data = bytearray(paths.database.read_bytes())
    data[5_000:9_000] = b"\xff" * 4_000
    paths.database.write_bytes(data)
    found = database(paths.database)
    assert found.state is State.PROBLEM
    assert str(paths.database) in found.sentence
    assert "keeps it" in found.advice
    assert paths.database.read_bytes() == data


def test_what_is_no_database_is_named(paths: Paths) -> None:
    paths.data.mkdir()
    paths.database.write_text("something else")
    assert "damaged" in database(paths.database).sentence


def test_a_database_of_something_else_is_named(paths: Paths) -> None:
    paths.data.mkdir()
    with sqlite3.connect(paths.database) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert "not a database of gemma-tui" in database(paths.database).sentence


async def test_one_of_a_newer_version_says_what_to_do(paths: Paths) -> None:
    await (await fill(paths)).close()
    with sqlite3.connect(paths.database) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    found = database(paths.database)
    assert (found.state, found.advice) == (State.PROBLEM, "Update gemma-tui.")


async def test_what_others_can_read_is_named(paths: Paths) -> None:
    await (await fill(paths)).close()
    assert data_folder(paths).state is State.OK
    for number in range(5):
        file = paths.data / f"note{number}"
        file.write_text("secret")
        file.chmod(0o644)
    (paths.data / "link").symlink_to("/etc/passwd")
    found = data_folder(paths)
    assert found.state is State.PROBLEM
    assert "and 2 more" in found.sentence
    assert "passwd" not in found.sentence
    assert "chmod -R go=" in found.advice


@pytest.mark.parametrize("name", ["data", "my data", "it's"])
def test_the_command_it_advises_works_as_it_stands(tmp_path: Path, name: str) -> None:
    paths = Paths(*(tmp_path / folder for folder in (name, "logs", "cache", "config")))
    paths.data.mkdir(mode=0o755)
    command = data_folder(paths).advice.removeprefix("Try: ")
    subprocess.run(command, shell=True, check=True)
    assert data_folder(paths).state is State.OK


def test_a_folder_that_cannot_be_written_is_named(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.data.mkdir(mode=0o700)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "cannot be read and written" in data_folder(paths).sentence


def test_little_space_is_a_problem_with_a_way_out(paths: Paths) -> None:
    assert disk(paths).state is State.OK
    found = disk(paths, least=1 << 62)
    assert found.state is State.PROBLEM
    assert str(paths.cache) in found.advice
