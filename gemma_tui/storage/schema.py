"""The tables, as numbered migrations: version n is the result of the first n of them.

A migration that has been released is never edited; a change is a new one at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.errors import DamagedStoreError
from gemma_tui.storage import search_index

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

Migration: TypeAlias = "tuple[str | Callable[[sqlite3.Connection], None], ...]"
"""Statements, and functions where SQL is not enough."""

APPLICATION_ID: Final = 0x47454D34
"""Marks our databases ("GEM4"), so that a foreign SQLite file is never written to."""

_FIRST: Final = (
    # `rank` orders conversations by their last change, whatever the clock did meanwhile.
    """
    CREATE TABLE conversation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        system_prompt TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        rank INTEGER NOT NULL,
        leaf_id INTEGER REFERENCES message (id) DEFERRABLE INITIALLY DEFERRED,
        deleted_by TEXT
    ) STRICT
    """,
    "CREATE INDEX conversation_rank ON conversation (rank)",
    # No cascade from parent to child: SQLite refuses cascades deeper than 1000 levels.
    """
    CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        parent_id INTEGER,
        role TEXT NOT NULL CHECK (role IN ('user', 'model')),
        state TEXT NOT NULL CHECK (
            state IN ('streaming', 'complete', 'cancelled', 'interrupted', 'failed')
        ),
        writer TEXT NOT NULL,
        created_at REAL NOT NULL,
        model TEXT NOT NULL DEFAULT '',
        finish_reason TEXT NOT NULL DEFAULT '',
        error TEXT NOT NULL DEFAULT '',
        prompt_tokens INTEGER,
        cached_tokens INTEGER,
        generated_tokens INTEGER,
        prefill_seconds REAL,
        decode_seconds REAL,
        peak_memory_bytes INTEGER,
        UNIQUE (id, conversation_id),
        FOREIGN KEY (parent_id, conversation_id) REFERENCES message (id, conversation_id)
            DEFERRABLE INITIALLY DEFERRED
    ) STRICT
    """,
    "CREATE INDEX message_conversation ON message (conversation_id)",
    "CREATE INDEX message_parent ON message (parent_id, conversation_id)",
    "CREATE INDEX message_streaming ON message (state) WHERE state = 'streaming'",
    """
    CREATE TABLE attachment (
        sha256 TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('image', 'audio')),
        media_type TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        sample_count INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE part (
        message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        type TEXT NOT NULL CHECK (type IN ('text', 'thought', 'attachment')),
        text TEXT NOT NULL DEFAULT '',
        sha256 TEXT REFERENCES attachment (sha256),
        name TEXT NOT NULL DEFAULT '',
        token_budget INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (message_id, position),
        CHECK ((type = 'attachment') = (sha256 IS NOT NULL))
    ) STRICT
    """,
    "CREATE INDEX part_sha256 ON part (sha256) WHERE sha256 IS NOT NULL",
    # A NULL conversation is the one that is not created yet: every process has its own, so that
    # two windows do not write over each other's. `writer` is empty for all others.
    """
    CREATE TABLE draft (
        id INTEGER PRIMARY KEY,
        conversation_id INTEGER REFERENCES conversation (id) ON DELETE CASCADE,
        writer TEXT NOT NULL,
        text TEXT NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX draft_place ON draft (coalesce(conversation_id, 0), writer)",
    """
    CREATE TABLE draft_attachment (
        draft_id INTEGER NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        sha256 TEXT NOT NULL REFERENCES attachment (sha256),
        name TEXT NOT NULL,
        token_budget INTEGER NOT NULL,
        PRIMARY KEY (draft_id, position)
    ) STRICT
    """,
    "CREATE INDEX draft_attachment_sha256 ON draft_attachment (sha256)",
)

_CONTINUED_REPLIES: Final = (
    # Ids of a reply that was cut off, each as four bytes, the lowest first; NULL otherwise.
    "ALTER TABLE message ADD COLUMN token_ids BLOB",
    "ALTER TABLE message ADD COLUMN thinking INTEGER NOT NULL DEFAULT 0",
    """
    UPDATE message SET thinking = 1
    WHERE id IN (SELECT message_id FROM part WHERE type = 'thought')
    """,
)

_LABELS_TEXTS_AND_TOOLS: Final = (
    # Titles could not be changed before, so every one comes from a question.
    """
    ALTER TABLE conversation ADD COLUMN title_origin TEXT NOT NULL DEFAULT 'question'
        CHECK (title_origin IN ('question', 'model', 'user'))
    """,
    """
    ALTER TABLE conversation ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0
        CHECK (is_pinned IN (0, 1))
    """,
    """
    ALTER TABLE conversation ADD COLUMN is_archived INTEGER NOT NULL DEFAULT 0
        CHECK (is_archived IN (0, 1))
    """,
    "ALTER TABLE conversation ADD COLUMN settings TEXT NOT NULL DEFAULT ''",
    """
    CREATE TABLE tag (
        conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (conversation_id, key)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX tag_key ON tag (key)",
    # A CHECK cannot be altered: such a table is made anew (https://sqlite.org/lang_altertable.html,
    # section 7), which is why `migrate` turns foreign keys off.
    """
    CREATE TABLE new_attachment (
        sha256 TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('image', 'audio', 'text')),
        media_type TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        sample_count INTEGER NOT NULL
    ) STRICT
    """,
    "INSERT INTO new_attachment SELECT * FROM attachment",
    "DROP TABLE attachment",
    "ALTER TABLE new_attachment RENAME TO attachment",
    """
    CREATE TABLE new_part (
        message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        type TEXT NOT NULL CHECK (
            type IN ('text', 'thought', 'attachment', 'tool_call', 'tool_result')
        ),
        text TEXT NOT NULL DEFAULT '',
        sha256 TEXT REFERENCES attachment (sha256),
        name TEXT NOT NULL DEFAULT '',
        token_budget INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (message_id, position),
        CHECK ((type = 'attachment') = (sha256 IS NOT NULL))
    ) STRICT
    """,
    "INSERT INTO new_part SELECT * FROM part ORDER BY message_id, position",
    "DROP TABLE part",
    "ALTER TABLE new_part RENAME TO part",
    "CREATE INDEX part_sha256 ON part (sha256) WHERE sha256 IS NOT NULL",
)

_DELETED_MESSAGES: Final = (
    # `deleted_with` is the topmost message of what was deleted together; both NULL otherwise.
    "ALTER TABLE message ADD COLUMN deleted_by TEXT",
    "ALTER TABLE message ADD COLUMN deleted_with INTEGER",
    "CREATE INDEX message_deleted ON message (deleted_with) WHERE deleted_with IS NOT NULL",
    # Holds all of what a tree is read from.
    "CREATE INDEX message_tree ON message (conversation_id, parent_id, deleted_with)",
    "DROP INDEX message_conversation",
)

_SEARCH: Final = (search_index.CREATE, search_index.index_all)
# A row as long as words of what was removed may still stand in the index.
_UNFINISHED_MERGE: Final = (
    "CREATE TABLE search_merge (is_due INTEGER PRIMARY KEY CHECK (is_due = 1)) STRICT",
)

# What is sent of a file is chosen for each use of it, like the budget. JSON, see `segments.py`.
_SEGMENTS: Final = (
    "ALTER TABLE part ADD COLUMN segments TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE draft_attachment ADD COLUMN segments TEXT NOT NULL DEFAULT ''",
)

MIGRATIONS: Final[tuple[Migration, ...]] = (
    _FIRST,
    _CONTINUED_REPLIES,
    _LABELS_TEXTS_AND_TOOLS,
    _DELETED_MESSAGES,
    _SEARCH,
    _UNFINISHED_MERGE,
    _SEGMENTS,
)
"""In order."""


def migrate(
    connection: sqlite3.Connection, place: str, begin: Callable[[], None] = lambda: None
) -> None:
    """Bring a database to the newest version, all of it or nothing.

    Args:
        connection: In autocommit mode; other processes may have the same database open.
        place: Name of the file, for the sentence.
        begin: Called before an older version is changed, which may take seconds.

    Raises:
        DamagedStoreError: The database is newer than this program, another program's, or its
            rows do not fit together.
    """
    version = _version(connection, place)
    if version == len(MIGRATIONS):
        return
    if version:
        begin()
    (checks_keys,) = connection.execute("PRAGMA foreign_keys").fetchone()
    # Else a table could not be made anew; inside a transaction this could not be changed.
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        _migrate(connection, place)
    finally:
        connection.execute(f"PRAGMA foreign_keys = {checks_keys}")


def _migrate(connection: sqlite3.Connection, place: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another process may have migrated it meanwhile.
        for migration in MIGRATIONS[_version(connection, place) :]:
            for step in migration:
                if isinstance(step, str):
                    connection.execute(step)
                else:
                    step(connection)
        if lost := connection.execute("PRAGMA foreign_key_check").fetchone():
            raise DamagedStoreError(
                f"{place} was left as it is: in “{lost[0]}” a row refers to one that is missing.",
                "Move it away, or set GEMMA_TUI_HOME to another folder.",
            )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection, place: str) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        raise DamagedStoreError(
            f"{place} is a database of another program, so it was left alone.",
            "Move it away, or set GEMMA_TUI_HOME to another folder.",
        )
    if version > len(MIGRATIONS):
        raise DamagedStoreError(
            f"{place} was written by a newer version of gemma-tui, so it was left alone.",
            "Update gemma-tui, or set GEMMA_TUI_HOME to another folder.",
        )
    return int(version)
