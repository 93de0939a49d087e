"""What a conversation is called and filed under: title, pin, archive, tags, settings, deletion.

Every change is durable when its call returns.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Conversation, normalize_tags, tag_key
from gemma_tui.errors import StorageError
from gemma_tui.storage.rows import to_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from gemma_tui.storage.database import Database

_CONVERSATIONS: Final = """
    SELECT *, (
        SELECT json_group_array(name)
        FROM (SELECT name FROM tag WHERE conversation_id = conversation.id ORDER BY key)
    ) AS tags
    FROM conversation
"""
_NEWEST_FIRST: Final = "ORDER BY is_pinned DESC, rank DESC"
# The user's title is theirs; an empty one gives the choice back.
_RENAME: Final = """
    UPDATE conversation SET title = ?1, title_origin = iif(?1 = '', 'question', 'user')
    WHERE id = ?2
"""
_SUGGEST: Final = """
    UPDATE conversation SET title = ?1, title_origin = 'model'
    WHERE id = ?2 AND title_origin <> 'user' AND ?1 <> ''
"""
_SET_DELETED: Final = "UPDATE conversation SET deleted_by = ? WHERE id = ?"
_SET_PINNED: Final = "UPDATE conversation SET is_pinned = ? WHERE id = ?"
_SET_ARCHIVED: Final = "UPDATE conversation SET is_archived = ? WHERE id = ?"
_SET_SETTINGS: Final = "UPDATE conversation SET settings = ? WHERE id = ?"
_TAGS: Final = """
    SELECT max(name) AS name, count(*) AS count
    FROM tag JOIN conversation ON conversation.id = conversation_id
    WHERE deleted_by IS NULL GROUP BY key ORDER BY key
"""


class LabelStore:
    """The list of conversations, and what can be done to an entry; part of `ConversationStore`.

    None of it changes the order of the list but `pin`. Every method may raise `StorageError`.

    Args:
        database: An open one; closing it is the caller's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, *, archived: bool = False) -> tuple[Conversation, ...]:
        """Conversations that are not deleted: the pinned first, then the one changed last.

        Args:
            archived: Those that are archived, instead of those that are not.
        """
        condition = "deleted_by IS NULL AND is_archived = ?"
        return await self._database.read(lambda c: read_conversations(c, condition, (archived,)))

    async def get(self, conversation_id: int) -> Conversation:
        """One conversation, also a deleted one."""
        read = partial(read_conversation, conversation_id=conversation_id)
        return await self._database.read(read)

    async def rename(self, conversation_id: int, title: str) -> Conversation:
        """Give a conversation the user's title; an empty one lets the next question give one."""
        return await self._change(conversation_id, _RENAME, to_text(title))

    async def suggest_title(self, conversation_id: int, title: str) -> Conversation:
        """Give a conversation a title the model wrote, unless the user gave it one.

        Returns:
            The conversation as it is now, whichever title it has.
        """
        return await self._change(conversation_id, _SUGGEST, to_text(title))

    async def pin(self, conversation_id: int) -> Conversation:
        """Keep a conversation at the top of the list."""
        return await self._change(conversation_id, _SET_PINNED, 1)

    async def unpin(self, conversation_id: int) -> Conversation:
        """Undo `pin`."""
        return await self._change(conversation_id, _SET_PINNED, 0)

    async def archive(self, conversation_id: int) -> Conversation:
        """Take a conversation out of the list, until `unarchive` or a new message."""
        return await self._change(conversation_id, _SET_ARCHIVED, 1)

    async def unarchive(self, conversation_id: int) -> Conversation:
        """Undo `archive`."""
        return await self._change(conversation_id, _SET_ARCHIVED, 0)

    async def set_tags(self, conversation_id: int, tags: Iterable[str]) -> Conversation:
        """Replace the tags of a conversation; see `normalize_tags`."""
        wanted = normalize_tags(map(to_text, tags))

        def work(connection: sqlite3.Connection) -> Conversation:
            read_conversation(connection, conversation_id)
            connection.execute("DELETE FROM tag WHERE conversation_id = ?", (conversation_id,))
            connection.executemany(
                "INSERT INTO tag (conversation_id, key, name) VALUES (?, ?, ?)",
                ((conversation_id, tag_key(name), name) for name in wanted),
            )
            return read_conversation(connection, conversation_id)

        return await self._database.write(work)

    async def tags(self) -> dict[str, int]:
        """Every tag in use, in order, and how many conversations have it."""
        return await self._database.read(
            lambda c: {row["name"]: row["count"] for row in c.execute(_TAGS)}
        )

    async def set_settings(self, conversation_id: int, settings: str) -> Conversation:
        """Replace what is set for this conversation only.

        Args:
            conversation_id: The conversation.
            settings: A JSON object, not looked into here; empty for nothing.
        """
        return await self._change(conversation_id, _SET_SETTINGS, to_text(settings))

    async def delete(self, conversation_id: int) -> Conversation:
        """Take a conversation out of the list, until `restore` or a new message brings it back.

        The first start after the end of this process removes it for good.
        """
        return await self._change(conversation_id, _SET_DELETED, self._database.token)

    async def restore(self, conversation_id: int) -> Conversation:
        """Undo `delete`."""
        return await self._change(conversation_id, _SET_DELETED, None)

    async def _change(
        self, conversation_id: int, sql: str, value: str | int | None
    ) -> Conversation:
        def work(connection: sqlite3.Connection) -> Conversation:
            connection.execute(sql, (value, conversation_id))
            return read_conversation(connection, conversation_id)

        return await self._database.write(work)


def read_conversations(
    connection: sqlite3.Connection, condition: str, values: Sequence[object] = ()
) -> tuple[Conversation, ...]:
    """Conversations with their tags: the pinned first, then the one changed last.

    Args:
        connection: Any.
        condition: SQL that never comes from outside; `?` stands for each of `values`.
        values: What the condition is about.
    """
    rows = connection.execute(f"{_CONVERSATIONS} WHERE {condition} {_NEWEST_FIRST}", values)
    return tuple(_to_conversation(row) for row in rows)


def read_conversation(connection: sqlite3.Connection, conversation_id: int) -> Conversation:
    """One conversation.

    Raises:
        StorageError: It is gone.
    """
    found = read_conversations(connection, "id = ?", (conversation_id,))
    if not found:
        message = f"Conversation {conversation_id} is not there any more."
        raise StorageError(message, "Open another one.")
    return found[0]


def _to_conversation(row: sqlite3.Row) -> Conversation:
    return Conversation(
        id=row["id"],
        title=row["title"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        system_prompt=row["system_prompt"],
        leaf_id=row["leaf_id"],
        deleted=row["deleted_by"] is not None,
        title_origin=row["title_origin"],
        is_pinned=bool(row["is_pinned"]),
        is_archived=bool(row["is_archived"]),
        tags=tuple(json.loads(row["tags"])),
        settings=row["settings"],
    )
