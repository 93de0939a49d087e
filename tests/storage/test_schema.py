"""Migrations: reached once, together."""

from __future__ import annotations

import sqlite3

from gemma_tui.storage.schema import APPLICATION_ID, MIGRATIONS, migrate


def test_a_migration_leaves_its_number_and_our_mark() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "x")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    before = list(connection.iterdump())
    migrate(connection, "x")
    assert list(connection.iterdump()) == before
    connection.close()


def test_rules_between_tables_hold() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "x")
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
