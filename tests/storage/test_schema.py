"""Migrations: reached once, together."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.rows import read_message
from gemma_tui.storage.schema import APPLICATION_ID, MIGRATIONS, migrate

if TYPE_CHECKING:
    import pytest

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


def test_rules_between_tables_hold() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "x")
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
