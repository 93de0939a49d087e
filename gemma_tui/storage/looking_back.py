"""What was asked and attached before, and how fast prompts were read. Reads only."""

from __future__ import annotations

import asyncio
import statistics
from typing import TYPE_CHECKING, Final

from gemma_tui.storage.labels import LabelStore
from gemma_tui.storage.media_uses import read_media_uses

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from gemma_tui.storage.media_uses import MediaUse

_QUESTIONS: Final = """
    SELECT message.id AS id, group_concat(part.text, '') AS text
    FROM message
    JOIN conversation ON conversation.id = message.conversation_id
    JOIN part ON part.message_id = message.id AND part.type = 'text'
    WHERE message.role = 'user' AND message.id < ?
        AND conversation.deleted_by IS NULL AND message.deleted_with IS NULL
    GROUP BY message.id ORDER BY message.id DESC LIMIT ?
"""
_PREFILLS: Final = """
    SELECT (prompt_tokens - cached_tokens) / prefill_seconds AS speed
    FROM message
    WHERE role = 'model' AND model = ? AND prefill_seconds > 0
        AND prompt_tokens - cached_tokens >= ?
    ORDER BY id DESC LIMIT ?
"""
_MAX_ID: Final = 2**63 - 1

_MIN_TOKENS: Final = 64
"""Of a shorter prompt the time is that of the first token, not of reading."""

_SPEEDS: Final = 9
"""The median of so many says what the machine does these days, with one odd reply among them."""


class LookingBack(LabelStore):
    """Earlier questions and measurements; part of `ConversationStore`.

    Every method may raise `StorageError`.
    """

    _measured: Callable[[str], float] | None = None

    async def questions(
        self, before_id: int | None = None, limit: int = 50
    ) -> tuple[tuple[int, str], ...]:
        """Id and text of what the user asked in all conversations, the latest first.

        Args:
            before_id: Only what was asked before this message.
            limit: How many at most.
        """

        def work(connection: sqlite3.Connection) -> tuple[tuple[int, str], ...]:
            rows = connection.execute(_QUESTIONS, (before_id or _MAX_ID, limit))
            return tuple((int(row["id"]), str(row["text"])) for row in rows)

        return await self._database.read(work)

    async def media_uses(self, conversation_id: int) -> tuple[MediaUse, ...]:
        """The attachments of all messages of a conversation, the oldest message first."""
        return await self._database.read(lambda c: read_media_uses(c, conversation_id))

    async def prefill_speed(self, model: str) -> float:
        """Prompt tokens per second that the last replies of a model were read with; 0 if unknown.

        Before the first of them, what was measured otherwise.

        Args:
            model: As in `Message.model`.
        """

        def work(connection: sqlite3.Connection) -> float:
            rows = connection.execute(_PREFILLS, (model, _MIN_TOKENS, _SPEEDS))
            return statistics.median([float(row["speed"]) for row in rows] or [0.0])

        speed = await self._database.read(work)
        if speed or self._measured is None:
            return speed
        return await asyncio.to_thread(self._measured, model)
