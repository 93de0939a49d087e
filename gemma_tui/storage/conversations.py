"""Conversations, their messages and drafts, kept in the database.

Every change is durable when its call returns. Attachment bytes and models are not known here.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Conversation, Draft, Message, MessageState
from gemma_tui.errors import StorageError
from gemma_tui.storage.branches import BranchStore, revive
from gemma_tui.storage.labels import read_conversation
from gemma_tui.storage.looking_back import LookingBack
from gemma_tui.storage.replies import finish_message, resume_message, write_so_far
from gemma_tui.storage.rows import (
    insert_message,
    read_branch,
    read_draft,
    read_message,
    take_over_draft,
    to_text,
    write_draft,
)
from gemma_tui.storage.search import SearchStore
from gemma_tui.storage.search_index import merge
from gemma_tui.storage.tidying import mark_interrupted, purge, used_blobs

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from gemma_tui.conversation import Part, Role
    from gemma_tui.storage.database import Database

_CREATE: Final = """
    INSERT INTO conversation (title, system_prompt, created_at, updated_at, rank)
    VALUES (?, ?, ?, ?, (SELECT coalesce(max(rank), 0) + 1 FROM conversation))
"""
# Another window may have deleted a conversation that is still being written: words win. What is
# talked about again is no longer put away.
_TOUCH: Final = """
    UPDATE conversation SET leaf_id = ?, updated_at = ?, deleted_by = NULL, is_archived = 0,
        rank = (SELECT max(rank) + 1 FROM conversation)
    WHERE id = ?
"""
_SET_FIRST_TITLE: Final = """
    UPDATE conversation SET title = ?, title_origin = 'question' WHERE id = ? AND title = ''
"""


class ConversationStore(BranchStore, SearchStore, LookingBack):
    """Conversations in a database. Every method may raise `StorageError`.

    Args:
        database: An open one; closing it is the caller's.
        clock: Seconds since the epoch; only ever shown, never used for order.
        measured: How many prompt tokens a second a model reads that has not replied here yet.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        measured: Callable[[str], float] | None = None,
    ) -> None:
        super().__init__(database)
        self._clock = clock
        self._measured = measured

    async def create(self, title: str, system_prompt: str = "") -> Conversation:
        """A new conversation without messages; with an empty title the first turn gives it one."""

        def work(connection: sqlite3.Connection) -> Conversation:
            now = self._clock()
            row_id = connection.execute(
                _CREATE, (to_text(title), to_text(system_prompt), now, now)
            ).lastrowid
            return read_conversation(connection, row_id or 0)

        return await self._database.write(work)

    async def messages(
        self, conversation_id: int, leaf_id: int | None = None
    ) -> tuple[Message, ...]:
        """One branch from the root down.

        Args:
            conversation_id: The conversation.
            leaf_id: Where the branch ends; None is the branch that was last added to.
        """

        def work(connection: sqlite3.Connection) -> tuple[Message, ...]:
            end = leaf_id or read_conversation(connection, conversation_id).leaf_id
            return read_branch(connection, conversation_id, end) if end else ()

        return await self._database.read(work)

    async def add_message(
        self,
        conversation_id: int,
        parent_id: int | None,
        role: Role,
        parts: Sequence[Part] = (),
        state: MessageState = MessageState.COMPLETE,
    ) -> Message:
        """Add a message below `parent_id` (None: at the root) and make it the leaf."""

        def work(connection: sqlite3.Connection) -> Message:
            new = self._new(conversation_id, parent_id, role, tuple(parts), state)
            return self._insert(connection, new)

        return await self._database.write(work)

    async def add_turn(
        self,
        conversation_id: int,
        parent_id: int | None,
        question: Sequence[Part],
        title: str,
        *,
        thinking: bool = False,
    ) -> tuple[Message | None, Message]:
        """Store a question and the empty reply that will stream below it, both or neither.

        The draft of the conversation has become the question, so it is emptied.

        Args:
            conversation_id: The conversation.
            parent_id: What the question follows; without a question, what is answered (again).
            question: Parts of the question; none to answer `parent_id`.
            title: For a conversation that has none yet.
            thinking: Whether the model is asked to think first.

        Returns:
            The question, if there is one, and the reply in state `streaming`.
        """

        def work(connection: sqlite3.Connection) -> tuple[Message | None, Message]:
            asked = None
            if question:
                new = self._new(conversation_id, parent_id, "user", tuple(question))
                asked = self._insert(connection, new)
                write_draft(connection, conversation_id, Draft(), self._database.token)
                connection.execute(_SET_FIRST_TITLE, (to_text(title), conversation_id))
            above = asked.id if asked else parent_id
            reply = self._new(conversation_id, above, "model", (), MessageState.STREAMING)
            return asked, self._insert(connection, replace(reply, thinking=thinking))

        return await self._database.write(work)

    async def update_streaming(
        self, message_id: int, parts: Sequence[Part], token_ids: Sequence[int] = ()
    ) -> None:
        """Store what a reply says so far, and the tokens that say it.

        A flush that comes after the end of the reply changes nothing.
        """
        now, ids = tuple(parts), tuple(token_ids)
        await self._database.write(lambda c: write_so_far(c, message_id, now, ids))

    async def resume(self, message_id: int) -> Message:
        """Let a reply that was cut off stream again, and make it the leaf.

        Returns:
            The reply as it was before.

        Raises:
            UsageError: It is not cut off, is being written already, or something follows it.
            StorageError: It is gone.
        """

        def work(connection: sqlite3.Connection) -> Message:
            before = _existing(resume_message(connection, message_id, self._database.token))
            revive(connection, before.id)
            connection.execute(_TOUCH, (before.id, self._clock(), before.conversation_id))
            return before

        return await self._database.write(work)

    async def finish(self, message: Message) -> Message:
        """Store the last values of a reply: parts, state, model, finish reason, usage, error."""

        def work(connection: sqlite3.Connection) -> Message:
            return _existing(finish_message(connection, message))

        return await self._database.write(work)

    async def mark_interrupted(self) -> int:
        """Mark the replies of processes that ended while they streamed; returns how many."""
        mark = partial(mark_interrupted, is_alive=self._database.is_alive)
        return await self._database.write(mark)

    async def purge(self) -> int:
        """Remove for good what was deleted in processes that have ended; returns how many."""
        count = await self._database.write(partial(purge, is_alive=self._database.is_alive))
        is_first = True
        while await self._database.write(partial(merge, is_first=is_first)):
            is_first = False  # step by step: others get their turn in between
        return count

    async def used_blobs(self) -> frozenset[str]:
        """The sha256 of every attachment in a message or a draft."""
        return await self._database.read(used_blobs)

    async def save_draft(self, conversation_id: int | None, draft: Draft) -> None:
        """Keep what the composer holds.

        Args:
            conversation_id: Where; None is the conversation that is not created yet, of which
                every process has its own.
            draft: An empty one leaves nothing.
        """

        def work(connection: sqlite3.Connection) -> None:
            if conversation_id is not None:
                read_conversation(connection, conversation_id)
            write_draft(connection, conversation_id, draft, self._database.token)

        await self._database.write(work)

    async def load_draft(self, conversation_id: int | None) -> Draft:
        """What `save_draft` kept, or an empty draft.

        For the conversation that is not created yet: what this process kept, else the latest
        draft of a process that has ended, which becomes this one's.
        """

        def work(connection: sqlite3.Connection) -> Draft:
            if conversation_id is None:
                take_over_draft(connection, self._database.token, self._database.is_alive)
            return read_draft(connection, conversation_id, self._database.token)

        begin = self._database.write if conversation_id is None else self._database.read
        return await begin(work)

    def _new(
        self,
        conversation_id: int,
        parent_id: int | None,
        role: Role,
        parts: tuple[Part, ...],
        state: MessageState = MessageState.COMPLETE,
    ) -> Message:
        return Message(0, conversation_id, parent_id, role, parts, state, self._clock())

    def _insert(self, connection: sqlite3.Connection, message: Message) -> Message:
        read_conversation(connection, message.conversation_id)
        if message.parent_id is not None:
            revive(connection, message.parent_id)
        row_id = insert_message(connection, message, self._database.token)
        connection.execute(_TOUCH, (row_id, message.created_at, message.conversation_id))
        return _existing(read_message(connection, row_id))


def _existing(message: Message | None) -> Message:
    if message is None:
        raise StorageError("The message is not there any more.", "Open the conversation again.")
    return message
