"""Where the attachments of a conversation stand, in all its branches. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.storage.rows import to_attachment

if TYPE_CHECKING:
    import sqlite3

    from gemma_tui.conversation import Attachment

_WORDS: Final = 200
"""Characters of a question that are read: one line of them is shown."""

_USES: Final = """
    SELECT part.*, attachment.*, message.created_at AS created_at,
        (
            SELECT substr(group_concat(words.text, ' '), 1, ?) FROM part AS words
            WHERE words.message_id = message.id AND words.type = 'text'
        ) AS question,
        (
            SELECT (reply.prompt_tokens - reply.cached_tokens) / reply.prefill_seconds
            FROM message AS reply
            WHERE reply.parent_id = message.id AND reply.conversation_id = message.conversation_id
                AND reply.prefill_seconds > 0 AND reply.prompt_tokens > reply.cached_tokens
            ORDER BY reply.id LIMIT 1
        ) AS speed
    FROM message
    JOIN part ON part.message_id = message.id
    JOIN attachment USING (sha256)
    WHERE message.conversation_id = ? AND message.deleted_with IS NULL
    ORDER BY message.id, part.position
"""


@dataclass(frozen=True, slots=True)
class MediaUse:
    """An attachment in one message."""

    message_id: int
    attachment: Attachment
    question: str
    """The beginning of what was asked about it; may be empty."""
    created_at: float
    """Seconds since the epoch."""
    tokens_per_second: float = 0.0
    """How fast the prompt of the first reply to it was read; 0 if that was not measured."""

    def seconds(self, tokens: int) -> float:
        """About how long `tokens` of it took to be read; 0 if unknown."""
        return tokens / self.tokens_per_second if self.tokens_per_second > 0 else 0.0


def read_media_uses(connection: sqlite3.Connection, conversation_id: int) -> tuple[MediaUse, ...]:
    """Every attachment of every message, the oldest message first."""
    return tuple(
        MediaUse(
            row["message_id"],
            to_attachment(row),
            row["question"] or "",
            row["created_at"],
            row["speed"] or 0.0,
        )
        for row in connection.execute(_USES, (_WORDS, conversation_id))
    )
