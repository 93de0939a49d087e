"""What may happen to the file: damage, other versions, other processes, no space, no permission."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Draft, MessageState, TextPart
from gemma_tui.errors import DamagedStoreError, StorageError
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.schema import MIGRATIONS

if TYPE_CHECKING:
    from gemma_tui.paths import Paths

NOBODY = 65534


async def filled(paths: Paths, text: str = "hello") -> None:
    """A sound database with one conversation, closed again."""
    database = await Database.open(paths.database)
    store = ConversationStore(database)
    conversation = await store.create("kept")
    for _ in range(40):
        await store.add_message(conversation.id, None, "user", (TextPart(text * 100),))
    await database.close()


async def titles(database: Database) -> list[str]:
    return [c.title for c in await ConversationStore(database).list()]


async def test_files_are_private_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "made" / "deeper" / "conversations.db"
        database = await Database.open(path)
        await ConversationStore(database).create("x")
        files = {p for p in path.parent.rglob("*") if p.is_file()}
        assert {p.name for p in files} >= {path.name, f"{path.name}-wal", f"{path.name}-shm"}
        assert {stat.S_IMODE(p.stat().st_mode) for p in files} == {0o600}
        folders = {path.parent, path.parent.parent, path.parent / "instances"}
        assert {stat.S_IMODE(p.stat().st_mode) for p in folders} == {0o700}
        await database.close()
    finally:
        os.umask(before)


async def test_a_folder_left_open_to_others_is_closed(paths: Paths) -> None:
    await filled(paths)
    paths.data.chmod(0o755)
    paths.database.chmod(0o644)
    database = await Database.open(paths.database)
    assert stat.S_IMODE(paths.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(paths.database.stat().st_mode) == 0o600
    await database.close()


async def test_settings_that_durability_rests_on(paths: Paths) -> None:
    database = await Database.open(paths.database)

    def settings(connection: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "secure_delete")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await database.read(settings) == ["wal", 1, 1, 0, 1]
    await database.close()


async def test_every_table_is_strict(paths: Paths) -> None:
    database = await Database.open(paths.database)
    tables = await database.read(
        lambda c: {
            r["name"]: r["strict"] for r in c.execute("PRAGMA table_list") if r["schema"] == "main"
        }
    )
    names = {"conversation", "message", "part", "attachment", "tag", "search_merge"}
    names |= {"draft", "draft_attachment"}
    assert {name for name, strict in tables.items() if strict} == names
    await database.close()


async def test_memory_serves_like_a_file() -> None:
    database = await Database.open(None)
    store = ConversationStore(database)
    conversation = await store.create("x")
    await store.add_turn(conversation.id, None, (TextPart("q"),), "")
    assert await store.mark_interrupted() == 0
    assert len(await store.messages(conversation.id)) == 2
    await database.close()


async def test_a_write_that_fails_half_way_changes_nothing(paths: Paths) -> None:
    database = await Database.open(paths.database)

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO draft (writer, text) VALUES ('', 'half')")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(broken)
    assert await ConversationStore(database).load_draft(None) == Draft()
    await database.close()


async def test_a_write_is_carried_out_even_if_its_caller_is_cancelled(paths: Paths) -> None:
    database = await Database.open(paths.database)
    store = ConversationStore(database)
    task = asyncio.ensure_future(store.save_draft(None, Draft("kept")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.load_draft(None) == Draft("kept")
    await database.close()


async def test_a_closed_database_says_so(paths: Paths) -> None:
    database = await Database.open(paths.database)
    await database.close()
    with pytest.raises(StorageError, match="closed already"):
        await ConversationStore(database).list()


@pytest.mark.parametrize("recover", [False, True])
async def test_garbage_is_refused_or_set_aside_but_never_overwritten(
    paths: Paths, recover: bool
) -> None:
    paths.data.mkdir()
    garbage = b"not a database at all" * 1000
    paths.database.write_bytes(garbage)
    if not recover:
        with pytest.raises(DamagedStoreError, match=r"conversations\.db is damaged"):
            await Database.open(paths.database)
        assert paths.database.read_bytes() == garbage
        return
    database = await Database.open(paths.database, recover=True)
    assert database.set_aside == paths.database.with_name("conversations.db.damaged-1")
    assert database.set_aside.read_bytes() == garbage
    assert await titles(database) == []
    await database.close()


async def test_every_damaged_file_keeps_a_name_of_its_own(paths: Paths) -> None:
    paths.data.mkdir()
    for number in (1, 2):
        paths.database.unlink(missing_ok=True)
        paths.database.write_bytes(b"\xff" * 5000 * number)
        database = await Database.open(paths.database, recover=True)
        await database.close()
    sizes = [
        paths.database.with_name(f"conversations.db.damaged-{n}").stat().st_size for n in (1, 2)
    ]
    assert sizes == [5000, 10_000]


async def test_a_broken_page_is_found_after_a_kill(paths: Paths) -> None:
    await filled(paths)
    with paths.database.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\x5a" * 4096)
    (paths.data / "instances" / "killed.lock").touch()
    with pytest.raises(DamagedStoreError):
        await Database.open(paths.database)
    database = await Database.open(paths.database, recover=True)
    assert await titles(database) == []
    assert database.set_aside is not None
    assert b"\x5a" * 4096 in database.set_aside.read_bytes()
    await database.close()
    assert list((paths.data / "instances").iterdir()) == []


async def test_a_broken_page_that_was_met_is_found_at_the_next_start(paths: Paths) -> None:
    await filled(paths)
    connection = sqlite3.connect(paths.database)
    roots = connection.execute("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0").fetchall()
    connection.close()
    with paths.database.open("r+b") as file:
        for (page,) in roots:  # all but the schema, which every start reads
            file.seek((page - 1) * 4096)
            file.write(b"\x5a" * 4096)
    database = await Database.open(paths.database)
    with pytest.raises(DamagedStoreError, match="Start gemma-tui: it sets the file aside"):
        await ConversationStore(database).messages(1)
    await database.close()
    database = await Database.open(paths.database, recover=True)
    assert database.set_aside is not None
    await database.close()


async def test_an_empty_file_is_a_new_database(paths: Paths) -> None:
    paths.data.mkdir()
    paths.database.touch()
    database = await Database.open(paths.database)
    assert database.set_aside is None
    assert await titles(database) == []
    await database.close()


@pytest.mark.parametrize("recover", [False, True])
async def test_a_newer_schema_is_left_alone(paths: Paths, recover: bool) -> None:
    await filled(paths)
    connection = sqlite3.connect(paths.database)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = paths.database.read_bytes()
    with pytest.raises(DamagedStoreError, match="newer version of gemma-tui"):
        await Database.open(paths.database, recover=recover)
    assert paths.database.read_bytes() == before
    assert not list(paths.data.glob("*damaged*"))


@pytest.mark.parametrize("recover", [False, True])
async def test_a_foreign_database_is_left_alone(paths: Paths, recover: bool) -> None:
    paths.data.mkdir()
    connection = sqlite3.connect(paths.database)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(DamagedStoreError, match="another program"):
        await Database.open(paths.database, recover=recover)
    connection = sqlite3.connect(paths.database)
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    connection.close()


async def test_a_folder_in_place_of_the_file_is_a_sentence(paths: Paths) -> None:
    paths.database.mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot be used"):
        await Database.open(paths.database)


async def test_a_file_in_place_of_the_folder_is_a_sentence(paths: Paths) -> None:
    paths.data.write_text("in the way")
    with pytest.raises(StorageError, match="cannot be used"):
        await Database.open(paths.database)


async def test_a_lock_that_is_never_given_up_is_a_sentence(paths: Paths) -> None:
    database = await Database.open(paths.database)
    await database.read(lambda c: c.execute("PRAGMA busy_timeout = 50").fetchone())
    other = sqlite3.connect(paths.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match=r"keeps .* locked"):
        await ConversationStore(database).create("x")
    other.close()
    assert (await ConversationStore(database).create("y")).title == "y"
    await database.close()


CHECK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("PRAGMA integrity_check").fetchone()[0])
print(connection.execute("SELECT count(*) FROM conversation").fetchone()[0])
"""

OPEN_AND_SAY = """
import asyncio, sys
from pathlib import Path
from gemma_tui.errors import GemmaError
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database

async def work() -> None:
    database = await Database.open(Path(sys.argv[1]))
    store = ConversationStore(database)
    for number in range(int(sys.argv[2])):
        await store.create(str(number))
    print(len(await store.list()), flush=True)
    await database.close()

try:
    asyncio.run(work())
except GemmaError as error:
    print(type(error).__name__, error, flush=True)
"""


def test_a_folder_that_may_not_be_written_is_a_sentence() -> None:
    # As root nothing is forbidden, so root gives itself up once everything is imported.
    code = OPEN_AND_SAY.replace("try:", f"import os\nos.getuid() or os.setuid({NOBODY})\ntry:")
    with tempfile.TemporaryDirectory() as name:  # unlike pytest's own, reachable for other users
        Path(name).chmod(0o755)
        data = Path(name) / "data"
        data.mkdir(mode=0o555)
        command = [sys.executable, "-c", code, str(data / "conversations.db"), "1"]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        assert run.stdout.startswith("StorageError The data folder"), run
        assert "GEMMA_TUI_HOME" in run.stdout
        assert list(data.iterdir()) == []


def can_mount() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    return subprocess.run([unshare, "-m", "true"], check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="a small disk of its own needs Linux and root")
def test_a_full_disk_is_a_sentence_and_no_damage(paths: Paths) -> None:
    paths.data.mkdir()
    fill = [sys.executable, "-c", OPEN_AND_SAY, str(paths.database), "20000"]
    look = [sys.executable, "-c", CHECK, str(paths.database)]
    script = f"mount -t tmpfs -o size=400k none {shlex.quote(str(paths.data))} && "
    script += f"{shlex.join(fill)} && {shlex.join(look)}"
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    sentence, found, count = run.stdout.splitlines()
    assert sentence.startswith("DiskFullError There is no space left on the disk that holds"), run
    assert found == "ok"
    assert int(count) >= 5


def test_a_file_that_may_not_grow_is_a_sentence_and_no_damage(paths: Paths) -> None:
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
    command = [sys.executable, "-c", limit + OPEN_AND_SAY, str(paths.database), "20000"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("StorageError The data folder"), run
    command = [sys.executable, "-c", CHECK, str(paths.database)]
    found, count = subprocess.check_output(command, text=True).splitlines()
    assert found == "ok"
    assert int(count) >= 5


def test_two_processes_write_at_once_and_lose_nothing(paths: Paths) -> None:
    command = [sys.executable, "-c", OPEN_AND_SAY, str(paths.database), "60"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert max(int(count) for count in said) == 180
    assert list((paths.data / "instances").iterdir()) == []


async def test_only_replies_of_dead_processes_are_interrupted(paths: Paths) -> None:
    child_code = OPEN_AND_SAY.replace(
        "    for number",
        "    c = await store.create('')\n"
        "    await store.add_turn(c.id, None, (), '')\n    for number",
    ).replace("    await database.close()", "    sys.stdin.read()")
    child_code = child_code.replace(
        "add_turn(c.id, None, (), '')", "add_turn(c.id, None, (T('q'),), '')"
    )
    child_code = "from gemma_tui.conversation import TextPart as T\n" + child_code
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", child_code, str(paths.database), "0"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"1\n"
    database = await Database.open(paths.database)
    store = ConversationStore(database)
    (conversation,) = await store.list()
    assert await store.mark_interrupted() == 0, "its process lives"
    child.kill()
    await child.wait()
    assert await store.mark_interrupted() == 1
    assert (await store.messages(conversation.id))[-1].state is MessageState.INTERRUPTED
    assert await store.mark_interrupted() == 0
    await database.close()
