"""Whole conversations with every branch: read for an export, written by an import.

An import of many conversations shows all of them at once or none, without keeping the database
locked meanwhile: each is stored as deleted by this process, and the last step brings them back. If
the process ends before, the next start removes them like everything deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import MessageState, normalize_tags, tag_key
from gemma_tui.storage.labels import read_conversation
from gemma_tui.storage.replies import finish_message
from gemma_tui.storage.rows import (
    insert_message,
    read_draft,
    read_message,
    to_text,
    write_draft,
)
from gemma_tui.storage.tidying import remove_conversations

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gemma_tui.conversation import Conversation, Draft, Message
    from gemma_tui.storage.database import Database

_CREATE: Final = """
    INSERT INTO conversation (
        title, title_origin, system_prompt, settings, created_at, updated_at, is_pinned,
        is_archived, deleted_by, rank
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(rank), 0) + 1 FROM conversation))
"""
_BY_RANK: Final = "SELECT id, updated_at FROM conversation ORDER BY rank, id"


@dataclass(frozen=True, slots=True)
class Tree:
    """A conversation with all its messages, and what its composer holds.

    The ids mean something only among these values: `insert` gives new ones in the same order.
    """

    conversation: Conversation
    messages: tuple[Message, ...]
    """In the order they were added: no message comes before the one it follows."""
    draft: Draft


class TreeStore:
    """Whole conversations in a database. Every method may raise `StorageError`.

    Args:
        database: An open one; closing it is the caller's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ids(self, *, deleted: bool = False) -> tuple[int, ...]:
        """All conversations that are (not) deleted, the one changed last at the end."""

        def work(connection: sqlite3.Connection) -> tuple[int, ...]:
            rows = connection.execute(
                "SELECT id FROM conversation WHERE (deleted_by IS NOT NULL) = ? ORDER BY rank, id",
                (deleted,),
            )
            return tuple(row["id"] for row in rows)

        return await self._database.read(work)

    async def ids_by_creation(self) -> dict[float, list[int]]:
        """All conversations that are not deleted, by the times they were created at."""

        def work(connection: sqlite3.Connection) -> dict[float, list[int]]:
            found: dict[float, list[int]] = {}
            for row in connection.execute(
                "SELECT id, created_at FROM conversation WHERE deleted_by IS NULL ORDER BY id"
            ):
                found.setdefault(row["created_at"], []).append(row["id"])
            return found

        return await self._database.read(work)

    async def read(self, conversation_id: int) -> Tree:
        """One conversation, as it stands."""
        return await self._database.read(partial(_read, conversation_id=conversation_id))

    async def insert_hidden(self, tree: Tree) -> int:
        """Store a conversation that nobody sees until `reveal`; returns its id."""
        work = partial(_insert, tree=tree, writer=self._database.token)
        return await self._database.write(work)

    async def reveal(self, conversation_ids: Sequence[int]) -> None:
        """Show what was stored hidden, all of it.

        Each takes its place in the list by its time, but stays behind those given before it.
        """
        await self._database.write(partial(_reveal, new=tuple(conversation_ids)))

    async def discard(self, conversation_ids: Sequence[int]) -> None:
        """Remove what was stored hidden."""
        await self._database.write(lambda c: remove_conversations(c, conversation_ids))


def _read(connection: sqlite3.Connection, conversation_id: int) -> Tree:
    conversation = read_conversation(connection, conversation_id)
    found = connection.execute(
        "SELECT id FROM message WHERE conversation_id = ? AND deleted_with IS NULL ORDER BY id",
        (conversation_id,),
    ).fetchall()
    messages = (read_message(connection, item["id"]) for item in found)
    draft = read_draft(connection, conversation_id, "")
    return Tree(conversation, tuple(m for m in messages if m is not None), draft)


def _insert(connection: sqlite3.Connection, tree: Tree, writer: str) -> int:
    known = tree.conversation
    created = connection.execute(
        _CREATE,
        (
            *(to_text(known.title), known.title_origin),
            *(to_text(known.system_prompt), to_text(known.settings)),
            *(known.created_at, known.updated_at),
            *(known.is_pinned, known.is_archived, writer),
        ),
    )
    conversation_id = created.lastrowid or 0
    connection.executemany(
        "INSERT INTO tag (conversation_id, key, name) VALUES (?, ?, ?)",
        [
            (conversation_id, tag_key(name), name)
            for name in normalize_tags(map(to_text, known.tags))
        ],
    )
    new_ids: dict[int | None, int | None] = {None: None}
    for message in tree.messages:
        here = replace(
            message, conversation_id=conversation_id, parent_id=new_ids[message.parent_id]
        )
        # As if it were streamed: what is being written is not in the search index yet.
        begun = replace(here, parts=(), state=MessageState.STREAMING)
        row_id = insert_message(connection, begun, writer)
        finish_message(connection, replace(here, id=row_id))
        new_ids[message.id] = row_id
    connection.execute(
        "UPDATE conversation SET leaf_id = ? WHERE id = ?",
        (new_ids[known.leaf_id], conversation_id),
    )
    write_draft(connection, conversation_id, tree.draft, writer)
    return conversation_id


def _reveal(connection: sqlite3.Connection, new: tuple[int, ...]) -> None:
    """Merge the new into the order of the others, by time; neither of the two orders changes."""
    times: dict[int, float] = {row["id"]: row["updated_at"] for row in connection.execute(_BY_RANK)}
    is_new = set(new)
    coming = [row_id for row_id in reversed(new) if row_id in times]
    order: list[int] = []
    for row_id in (row_id for row_id in times if row_id not in is_new):
        while coming and times[coming[-1]] < times[row_id]:
            order.append(coming.pop())
        order.append(row_id)
    order.extend(reversed(coming))
    ranks = [(rank, row_id, rank) for rank, row_id in enumerate(order, start=1)]
    connection.executemany("UPDATE conversation SET rank = ? WHERE id = ? AND rank <> ?", ranks)
    connection.executemany(
        "UPDATE conversation SET deleted_by = NULL WHERE id = ?", [(row_id,) for row_id in new]
    )
