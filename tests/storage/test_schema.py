"""Migrations: reached once, together."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Conversation,
    Draft,
    Message,
    MessageState,
    TextPart,
    ThoughtPart,
    Usage,
)
from gemma_tui.errors import DamagedStoreError
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.rows import read_message
from gemma_tui.storage.schema import APPLICATION_ID, MIGRATIONS, migrate

if TYPE_CHECKING:
    from gemma_tui.paths import Paths


def test_a_migration_leaves_its_number_and_our_mark() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "x")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    before = list(connection.iterdump())
    migrate(connection, "x")
    assert list(connection.iterdump()) == before
    connection.close()


def test_a_database_of_the_first_version_keeps_its_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with monkeypatch.context() as patch:
        patch.setattr("gemma_tui.storage.schema.MIGRATIONS", MIGRATIONS[:1])
        migrate(connection, "x")
    connection.execute(
        "INSERT INTO conversation (title, system_prompt, created_at, updated_at, rank)"
        " VALUES ('t', '', 0, 0, 1)"
    )
    connection.execute(
        "INSERT INTO message (conversation_id, role, state, writer, created_at)"
        " VALUES (1, 'model', 'cancelled', 'w', 0)"
    )
    migrate(connection, "x")
    connection.row_factory = sqlite3.Row
    message = read_message(connection, 1)
    assert message is not None
    assert (message.state, message.token_ids, message.thinking) == ("cancelled", (), False)
    connection.close()


async def test_a_thought_of_the_first_version_can_go_on_as_one(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.data.mkdir()
    old = sqlite3.connect(paths.database, isolation_level=None)
    with monkeypatch.context() as patch:
        patch.setattr("gemma_tui.storage.schema.MIGRATIONS", MIGRATIONS[:1])
        migrate(old, "x")
    old.executescript("""
        INSERT INTO conversation (title, system_prompt, created_at, updated_at, rank, leaf_id)
            VALUES ('t', '', 0, 0, 1, 2);
        INSERT INTO message (conversation_id, parent_id, role, state, writer, created_at)
            VALUES (1, NULL, 'model', 'cancelled', 'w', 0), (1, 1, 'model', 'cancelled', 'w', 0);
        INSERT INTO part (message_id, position, type, text)
            VALUES (1, 0, 'text', 'so'), (2, 0, 'thought', 'hm'), (2, 1, 'text', 'so');
    """)
    old.close()
    database = await Database.open(paths.database)
    messages = await ConversationStore(database).messages(1)
    assert [message.thinking for message in messages] == [False, True]
    await database.close()


@pytest.mark.parametrize(("megabytes", "count"), [(5, 1), (0, 0)])
async def test_a_long_migration_is_told_once(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, megabytes: int, count: int
) -> None:
    old = of_version_2(paths, monkeypatch)
    text = "word " * (megabytes << 20 >> 2)
    old.execute("UPDATE part SET text = ? WHERE message_id = 2 AND position = 1", (text,))
    old.close()
    told: list[str] = []
    for _ in range(2):
        database = await Database.open(paths.database, tell=told.append)
        await database.close()
    assert len(told) == count
    assert all("of an earlier version (" in sentence for sentence in told)


async def test_nothing_is_told_of_a_new_database(paths: Paths) -> None:
    told: list[str] = []
    database = await Database.open(paths.database, tell=told.append)
    await database.close()
    assert told == []


OF_VERSION_2 = """
    INSERT INTO conversation (title, system_prompt, created_at, updated_at, rank, leaf_id)
        VALUES ('t', 's', 1, 2, 1, 2);
    INSERT INTO message (conversation_id, parent_id, role, state, writer, created_at)
        VALUES (1, NULL, 'user', 'complete', 'w', 3);
    INSERT INTO message (conversation_id, parent_id, role, state, writer, created_at, thinking,
            model, finish_reason, token_ids, prompt_tokens, cached_tokens, generated_tokens,
            prefill_seconds, decode_seconds, peak_memory_bytes)
        VALUES (1, 1, 'model', 'cancelled', 'w', 4, 1, 'm', 'cancelled', x'01000000', 1, 2, 3,
            0.5, 0.25, 7);
    INSERT INTO attachment VALUES ('aa', 'image', 'image/png', 9, 4, 3, 0),
        ('bb', 'audio', 'audio/wav', 8, 0, 0, 320);
    INSERT INTO part (message_id, position, type, text, sha256, name, token_budget)
        VALUES (2, 1, 'text', 'because', NULL, '', 0), (1, 0, 'attachment', '', 'aa', 'a.png', 70),
        (1, 1, 'text', 'why?', NULL, '', 0), (2, 0, 'thought', 'hm', NULL, '', 0);
    INSERT INTO draft (conversation_id, writer, text) VALUES (1, '', 'unsent');
    INSERT INTO draft_attachment VALUES (1, 0, 'bb', 'b.wav', 0);
"""


def of_version_2(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    """An open database file as version 2 of the schema left it."""
    paths.data.mkdir()
    old = sqlite3.connect(paths.database, isolation_level=None)
    with monkeypatch.context() as patch:
        patch.setattr("gemma_tui.storage.schema.MIGRATIONS", MIGRATIONS[:2])
        migrate(old, "x")
    old.executescript(OF_VERSION_2)
    return old


async def test_a_file_of_the_second_version_keeps_everything(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_version_2(paths, monkeypatch).close()
    database = await Database.open(paths.database)
    store = ConversationStore(database)
    (conversation,) = await store.list()
    assert conversation == Conversation(1, "t", 1, 2, "s", 2)
    picture = Attachment("aa", "image", "a.png", "image/png", 9, 4, 3, 0, 70)
    asked = (AttachmentPart(picture), TextPart("why?"))
    assert await store.messages(1) == (
        Message(1, 1, None, "user", asked, MessageState.COMPLETE, 3),
        Message(
            id=2,
            conversation_id=1,
            parent_id=1,
            role="model",
            parts=(ThoughtPart("hm"), TextPart("because")),
            state=MessageState.CANCELLED,
            created_at=4,
            model="m",
            finish_reason="cancelled",
            usage=Usage(1, 2, 3, 0.5, 0.25, 7),
            thinking=True,
            token_ids=(1,),
        ),
    )
    sound = Attachment("bb", "audio", "b.wav", "audio/wav", 8, 0, 0, 320)
    assert await store.load_draft(1) == Draft("unsent", (sound,))
    assert await store.used_blobs() == {"aa", "bb"}
    settings = ("PRAGMA foreign_keys", "PRAGMA user_version")
    values = await database.read(lambda c: [c.execute(s).fetchone()[0] for s in settings])
    assert values == [1, len(MIGRATIONS)]
    await database.close()


def test_tables_made_anew_are_as_strict_as_before(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = of_version_2(paths, monkeypatch)
    migrate(connection, "x")
    connection.execute("PRAGMA foreign_keys = ON")
    for wrong in (
        "INSERT INTO part (message_id, position, type) VALUES (1, 9, 'song')",
        "INSERT INTO part (message_id, position, type) VALUES (99, 0, 'text')",
        "INSERT INTO part (message_id, position, type) VALUES (1, 9, 'attachment')",
        "INSERT INTO attachment VALUES ('cc', 'song', '', 0, 0, 0, 0)",
        "DELETE FROM attachment",
        "UPDATE conversation SET title_origin = 'nobody'",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(wrong)
    connection.execute("DELETE FROM conversation")
    assert connection.execute("SELECT count(*) FROM part").fetchone() == (0,)
    connection.close()


def test_a_migration_that_fails_changes_nothing(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = of_version_2(paths, monkeypatch)
    connection.execute("PRAGMA foreign_keys = ON")
    before = list(connection.iterdump())
    broken = (*MIGRATIONS, ("SELECT nothing FROM nowhere",))
    with monkeypatch.context() as patch:
        patch.setattr("gemma_tui.storage.schema.MIGRATIONS", broken)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, "x")
    assert list(connection.iterdump()) == before
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    migrate(connection, "x")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


def test_rows_that_do_not_fit_together_stop_a_migration(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = of_version_2(paths, monkeypatch)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM attachment WHERE sha256 = 'aa'")
    before = list(connection.iterdump())
    with pytest.raises(DamagedStoreError, match="“part” a row refers to one that is missing"):
        migrate(connection, "x")
    assert list(connection.iterdump()) == before
    connection.close()


def test_rules_between_tables_hold() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "x")
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
