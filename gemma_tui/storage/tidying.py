"""What processes that have ended left behind: unfinished replies, deleted conversations.

Plain functions on a connection; transactions are the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

_DELETED: Final = """
    SELECT id, deleted_by FROM conversation WHERE deleted_by IS NOT NULL AND id NOT IN (
        SELECT conversation_id FROM message WHERE state = 'streaming'
    )
"""
_DELETED_MESSAGES: Final = """
    SELECT id, deleted_by FROM message WHERE deleted_with = id
"""
_FORGET_ATTACHMENTS: Final = """
    DELETE FROM attachment WHERE sha256 NOT IN (
        SELECT sha256 FROM part WHERE sha256 IS NOT NULL UNION SELECT sha256 FROM draft_attachment
    )
"""


def mark_interrupted(connection: sqlite3.Connection, is_alive: Callable[[str], bool]) -> int:
    """Mark the streaming replies of writers that are not alive; returns how many."""
    rows = connection.execute("SELECT id, writer FROM message WHERE state = 'streaming'")
    dead = [(row["id"],) for row in rows if not is_alive(row["writer"])]
    connection.executemany("UPDATE message SET state = 'interrupted' WHERE id = ?", dead)
    return len(dead)


def purge(connection: sqlite3.Connection, is_alive: Callable[[str], bool]) -> int:
    """Remove what writers that are not alive deleted; returns how many deletions that were."""

    def gone(query: str) -> list[tuple[int]]:
        rows = connection.execute(query)
        return [(row["id"],) for row in rows if not is_alive(row["deleted_by"])]

    conversations, messages = gone(_DELETED), gone(_DELETED_MESSAGES)
    connection.executemany("DELETE FROM conversation WHERE id = ?", conversations)
    connection.executemany("DELETE FROM message WHERE deleted_with = ?", messages)
    connection.execute(_FORGET_ATTACHMENTS)
    return len(conversations) + len(messages)


def used_blobs(connection: sqlite3.Connection) -> frozenset[str]:
    """The sha256 of every attachment in a message or a draft."""
    rows = connection.execute(
        "SELECT sha256 FROM part WHERE sha256 IS NOT NULL UNION SELECT sha256 FROM draft_attachment"
    )
    return frozenset(row["sha256"] for row in rows)
