"""The tree of a conversation: who stands beside whom, which branch is shown, what is cut off.

A message is always stored after the one it follows, so ids grow from the root to every leaf: the
newest message below another one is a leaf, and one pass from the newest id back meets every
message after all that follow it. Nothing here recurses, however deep a conversation is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import MessageState, Siblings
from gemma_tui.errors import StorageError, UsageError
from gemma_tui.storage.labels import LabelStore, read_conversation

if TYPE_CHECKING:
    import sqlite3

    from gemma_tui.conversation import Conversation

# The index `message_tree` gives it in this order, without a look at the rows.
_TREE: Final = """
    SELECT id, parent_id FROM message WHERE conversation_id = ? AND deleted_with IS NULL
    ORDER BY parent_id, id
"""
_SUBTREE: Final = """
    WITH RECURSIVE subtree (id) AS (
        SELECT ?1
        UNION ALL
        SELECT message.id FROM subtree JOIN message ON message.parent_id = subtree.id
        WHERE conversation_id = ?2 AND deleted_with IS NULL
    )
"""
_STREAMING_BELOW: Final = f"""{_SUBTREE}
    SELECT 1 FROM subtree JOIN message USING (id) WHERE state = '{MessageState.STREAMING.value}'
"""  # noqa: S608  # constants only
_CUT: Final = f"""{_SUBTREE}
    UPDATE message SET deleted_by = ?3, deleted_with = ?1 WHERE id IN (SELECT id FROM subtree)
"""  # noqa: S608  # constants only
# What is below a message that was deleted later comes back with that one.
_MEND: Final = """
    UPDATE message SET
        deleted_by = (SELECT deleted_by FROM message WHERE id = ?2),
        deleted_with = (SELECT deleted_with FROM message WHERE id = ?2)
    WHERE deleted_with = ?1
"""
_SET_LEAF: Final = "UPDATE conversation SET leaf_id = ? WHERE id = ?"
_PLACE: Final = "SELECT conversation_id, parent_id, deleted_with FROM message WHERE id = ?"


class BranchStore(LabelStore):
    """The branches of conversations; part of `ConversationStore`."""

    async def siblings(
        self, conversation_id: int, leaf_id: int | None = None
    ) -> tuple[Siblings, ...]:
        """Where each message of a branch stands among those that follow the same message.

        Args:
            conversation_id: The conversation.
            leaf_id: Where the branch ends; None is the branch that is shown.

        Returns:
            One for each of `messages(conversation_id, leaf_id)`, in the same order.
        """

        def work(connection: sqlite3.Connection) -> tuple[Siblings, ...]:
            end = leaf_id or read_conversation(connection, conversation_id).leaf_id
            return _read_tree(connection, conversation_id).branch(end)

        return await self._database.read(work)

    async def set_leaf(self, conversation_id: int, message_id: int) -> Conversation:
        """Show the branch that goes through a message, down to the newest below it.

        It stays the one that is shown, also after a restart.

        Raises:
            StorageError: The message is not in this conversation.
        """

        def work(connection: sqlite3.Connection) -> Conversation:
            read_conversation(connection, conversation_id)
            newest = _read_tree(connection, conversation_id).newest_below.get(message_id)
            if newest is None:
                raise _message_gone()
            connection.execute(_SET_LEAF, (newest, conversation_id))
            return read_conversation(connection, conversation_id)

        return await self._database.write(work)

    async def delete_message(self, message_id: int) -> Conversation:
        """Take a message out of its conversation with all that follows it, until `restore_message`.

        If it was shown, the newest branch that is left above it is shown instead. The first start
        after the end of this process removes it for good.

        Raises:
            UsageError: A reply among them is being written.
            StorageError: It is not there.
        """

        def work(connection: sqlite3.Connection) -> Conversation:
            conversation_id, parent_id = _place(connection, message_id)
            subtree = (message_id, conversation_id)
            if connection.execute(_STREAMING_BELOW, subtree).fetchone():
                raise UsageError("A reply in it is being written.", "Stop it first.")
            connection.execute(_CUT, (*subtree, self._database.token))
            conversation = read_conversation(connection, conversation_id)
            tree = _read_tree(connection, conversation_id)
            if conversation.leaf_id in tree.parents:
                return conversation
            left = (
                tree.newest_below.get(parent_id) if parent_id else max(tree.parents, default=None)
            )
            connection.execute(_SET_LEAF, (left, conversation_id))
            return read_conversation(connection, conversation_id)

        return await self._database.write(work)

    async def restore_message(self, message_id: int) -> Conversation:
        """Undo `delete_message`, and show the branch again.

        If a message above was deleted meanwhile, it comes back only together with that one.

        Raises:
            StorageError: It is gone for good, or was not deleted.
        """

        def work(connection: sqlite3.Connection) -> Conversation:
            row = connection.execute(_PLACE, (message_id,)).fetchone()
            if row is None or row["deleted_with"] != message_id:
                raise _message_gone()
            connection.execute(_MEND, (message_id, row["parent_id"]))
            tree = _read_tree(connection, row["conversation_id"])
            if message_id in tree.parents:
                newest = tree.newest_below[message_id]
                connection.execute(_SET_LEAF, (newest, row["conversation_id"]))
            return read_conversation(connection, row["conversation_id"])

        return await self._database.write(work)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The messages of a conversation that are not deleted, without what they say."""

    parents: dict[int, int | None]
    children: dict[int | None, tuple[int, ...]]
    """In the order they were added; those of None are at the root."""
    newest_below: dict[int, int]
    """The newest message below each, or itself."""

    def branch(self, end: int | None) -> tuple[Siblings, ...]:
        """The places of the messages from the root to `end`."""
        found: list[Siblings] = []
        while end is not None and end in self.parents:
            ids = self.children[self.parents[end]]
            leaves = tuple(self.newest_below[item] for item in ids)
            found.append(Siblings(end, ids, leaves))
            end = self.parents[end]
        return tuple(reversed(found))


def revive(connection: sqlite3.Connection, message_id: int) -> None:
    """Bring a message back with all above it, as it is written below: words win over deleting."""
    at: int | None = message_id
    while at is not None:
        row = connection.execute(_PLACE, (at,)).fetchone()
        if row is None or row["deleted_with"] is None:
            return
        top = row["deleted_with"]
        connection.execute(
            "UPDATE message SET deleted_by = NULL, deleted_with = NULL WHERE deleted_with = ?",
            (top,),
        )
        at = connection.execute(_PLACE, (top,)).fetchone()["parent_id"]


def _read_tree(connection: sqlite3.Connection, conversation_id: int) -> _Tree:
    parents: dict[int, int | None] = {}
    children: dict[int | None, list[int]] = {}
    for message_id, parent_id in connection.execute(_TREE, (conversation_id,)):
        parents[message_id] = parent_id
        children.setdefault(parent_id, []).append(message_id)
    newest = {message_id: message_id for message_id in parents}
    for message_id in sorted(parents, reverse=True):
        above = parents[message_id]
        if above is not None:
            newest[above] = max(newest[above], newest[message_id])
    return _Tree(parents, {above: tuple(ids) for above, ids in children.items()}, newest)


def _place(connection: sqlite3.Connection, message_id: int) -> tuple[int, int | None]:
    """Conversation and parent of a message that is not deleted."""
    row = connection.execute(_PLACE, (message_id,)).fetchone()
    if row is None or row["deleted_with"] is not None:
        raise _message_gone()
    return row["conversation_id"], row["parent_id"]


def _message_gone() -> StorageError:
    return StorageError("The message is not there any more.", "Open the conversation again.")
