"""What processes that have ended left behind: unfinished replies, deleted conversations.

Plain functions on a connection; transactions are the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.storage.search_index import demand_merge, index, unindex

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

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
    index(connection, [message_id for (message_id,) in dead])
    return len(dead)


def purge(connection: sqlite3.Connection, is_alive: Callable[[str], bool]) -> int:
    """Remove what writers that are not alive deleted; returns how many deletions that were."""

    def gone(query: str) -> list[tuple[int]]:
        rows = connection.execute(query)
        return [(row["id"],) for row in rows if not is_alive(row["deleted_by"])]

    conversations, messages = gone(_DELETED), gone(_DELETED_MESSAGES)
    remove_conversations(connection, [row_id for (row_id,) in conversations])
    for (row_id,) in messages:
        _unindex(connection, "deleted_with = ?", row_id)
        connection.execute("DELETE FROM message WHERE deleted_with = ?", (row_id,))
    if messages:
        demand_merge(connection)
    connection.execute(_FORGET_ATTACHMENTS)
    return len(conversations) + len(messages)


def remove_conversations(connection: sqlite3.Connection, conversation_ids: Iterable[int]) -> None:
    """Remove conversations for good, also from the search index."""
    for row_id in conversation_ids:
        _unindex(connection, "conversation_id = ?", row_id)
        connection.execute("DELETE FROM conversation WHERE id = ?", (row_id,))
        demand_merge(connection)


def _unindex(connection: sqlite3.Connection, condition: str, value: int) -> None:
    rows = connection.execute(f"SELECT id FROM message WHERE {condition}", (value,))  # noqa: S608  # constants only
    unindex(connection, [row["id"] for row in rows])


def used_blobs(connection: sqlite3.Connection) -> frozenset[str]:
    """The sha256 of every attachment in a message or a draft."""
    rows = connection.execute(
        "SELECT sha256 FROM part WHERE sha256 IS NOT NULL UNION SELECT sha256 FROM draft_attachment"
    )
    return frozenset(row["sha256"] for row in rows)
