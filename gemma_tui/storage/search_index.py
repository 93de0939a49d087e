"""The full-text index of what messages say, and what keeps it true.

Every message that is not being written is in it, by its id, with its text and the names of its
attachments. The index holds no copy of the texts (`content=''`), which halves it; to take a message
out, FTS5 must therefore be told exactly what was put in: `unindex` comes before a change, `index`
after it. Plain functions on a connection; transactions are the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.storage.search_query import to_index

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator


def content(mark: str) -> str:
    """SQL: what is searched of a row of `message`; its text as `Message.text`, then the file names.

    Args:
        mark: SQL of what stands before each name.
    """
    return f"""
    coalesce((SELECT group_concat(text, '') FROM (
        SELECT text FROM part WHERE message_id = message.id AND type = 'text' ORDER BY position
    )), '') || coalesce((SELECT group_concat({mark} || name, '') FROM (
        SELECT name FROM part WHERE message_id = message.id AND type = 'attachment'
        ORDER BY position
    )), '')
"""  # noqa: S608  # constants only


CONTENT: Final = content("char(10)")
"""SQL of what is in the index: a line for the text, and one for each name."""

CREATE: Final = """
    CREATE VIRTUAL TABLE search USING fts5 (
        place, content, content = '', tokenize = 'unicode61 remove_diacritics 2'
    )
"""
"""SQL of the index. `place` is one word that stands for the conversation (see `place_of`)."""

_ALL: Final = "SELECT id FROM message WHERE state <> 'streaming'"
_MESSAGE: Final = f"""
    SELECT id, conversation_id, {CONTENT} FROM message WHERE id = ? AND state <> 'streaming'
"""  # noqa: S608  # constants only
_INDEX: Final = "INSERT INTO search (rowid, place, content) VALUES (?, ?, ?)"
_UNINDEX: Final = """
    INSERT INTO search (search, rowid, place, content) VALUES ('delete', ?, ?, ?)
"""
_MERGED_PAGES: Final = 500
"""Index pages (of about 4 kB) one step of a merge works on: some ten milliseconds."""


def index(connection: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Put messages in that are not in it; those being written are left out."""
    connection.executemany(_INDEX, _entries(connection, message_ids))


def unindex(connection: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Take messages out, before they change; those being written are not in it."""
    connection.executemany(_UNINDEX, _entries(connection, message_ids))


def index_all(connection: sqlite3.Connection) -> None:
    """Fill an empty index."""
    index(connection, [message_id for (message_id,) in connection.execute(_ALL)])


def demand_merge(connection: sqlite3.Connection) -> None:
    """Have `merge` rewrite the index, as messages were removed for good."""
    connection.execute("INSERT INTO search_merge VALUES (1) ON CONFLICT DO NOTHING")


def merge(connection: sqlite3.Connection, *, is_first: bool) -> bool:
    """Rewrite a part of the index without the words of what was taken out.

    FTS5 only notes that a message is gone and keeps its words until a merge meets them
    (https://sqlite.org/fts5.html, section 6.9). What is not done is due at the next start.

    Args:
        connection: Inside a transaction, which is short.
        is_first: Begins to merge all there is, even where that is not worth the time.

    Returns:
        Whether there is more to do.
    """
    if not connection.execute("SELECT 1 FROM search_merge").fetchone():
        return False
    pages = -_MERGED_PAGES if is_first else _MERGED_PAGES
    before = connection.total_changes
    connection.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (pages,))
    if connection.total_changes - before >= 2:
        return True
    connection.execute("DELETE FROM search_merge")
    return False


def place_of(conversation_id: int) -> str:
    """The word that all messages of a conversation have in `place`."""
    return f"c{conversation_id}"


def _entries(
    connection: sqlite3.Connection, message_ids: Iterable[int]
) -> Iterator[tuple[int, str, str]]:
    for message_id in message_ids:
        # The columns by place: a migration runs before rows have names.
        for row_id, conversation_id, content in connection.execute(_MESSAGE, (message_id,)):
            yield row_id, place_of(conversation_id), to_index(content)
