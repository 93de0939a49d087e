"""The changes a reply goes through in its row: it grows, ends, and may go on.

Plain functions on a connection; transactions are the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.conversation import MessageState
from gemma_tui.errors import UsageError
from gemma_tui.storage.rows import USAGE_COLUMNS, pack_ids, read_message, to_text, write_parts
from gemma_tui.storage.search_index import index, unindex

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gemma_tui.conversation import Message, Part


def write_so_far(
    connection: sqlite3.Connection,
    message_id: int,
    parts: Sequence[Part],
    token_ids: Sequence[int],
) -> None:
    """Store what a reply says so far, and the tokens that say it; one that has ended stays."""
    state = connection.execute("SELECT state FROM message WHERE id = ?", (message_id,)).fetchone()
    if state and state["state"] == MessageState.STREAMING.value:
        _write_content(connection, message_id, parts, token_ids)


def _write_content(
    connection: sqlite3.Connection,
    message_id: int,
    parts: Sequence[Part],
    token_ids: Sequence[int],
) -> None:
    write_parts(connection, message_id, parts)
    connection.execute(
        "UPDATE message SET token_ids = ? WHERE id = ?", (pack_ids(token_ids), message_id)
    )


def finish_message(connection: sqlite3.Connection, message: Message) -> Message | None:
    """Store every value of a message that can change; returns it as stored, None if it is gone."""
    unindex(connection, (message.id,))
    _write_content(connection, message.id, message.parts, message.token_ids)
    connection.execute(
        "UPDATE message SET state = ?, model = ?, finish_reason = ?, error = ? WHERE id = ?",
        (
            *(message.state.value, to_text(message.model), message.finish_reason),
            *(to_text(message.error), message.id),
        ),
    )
    if message.usage:
        connection.execute(
            "UPDATE message SET prompt_tokens = ?, cached_tokens = ?, generated_tokens = ?,"
            " prefill_seconds = ?, decode_seconds = ?, peak_memory_bytes = ? WHERE id = ?",
            (*(getattr(message.usage, name) for name in USAGE_COLUMNS), message.id),
        )
    index(connection, (message.id,))
    return read_message(connection, message.id)


def resume_message(connection: sqlite3.Connection, message_id: int, writer: str) -> Message | None:
    """Let a reply stream again; returns it as it was, None if it is gone.

    Args:
        connection: Inside a transaction: what another window did is seen here.
        message_id: The reply.
        writer: Token of the process that writes it.

    Raises:
        UsageError: It is not cut off, is being written already, or something follows it.
    """
    before = read_message(connection, message_id)
    if before is None:
        return None
    if before.state is MessageState.STREAMING:
        raise UsageError("This reply is being written already.", "Wait until it has ended.")
    if not before.is_cut_off:
        raise not_cut_off()
    if connection.execute("SELECT 1 FROM message WHERE parent_id = ?", (message_id,)).fetchone():
        raise UsageError(
            "The conversation has gone on behind this reply, so it stays as it is.",
            "Ask something instead.",
        )
    unindex(connection, (message_id,))
    connection.execute(
        "UPDATE message SET state = 'streaming', writer = ?, finish_reason = '', error = ''"
        " WHERE id = ?",
        (writer, message_id),
    )
    return before


def not_cut_off() -> UsageError:
    """The sentence for a reply that cannot go on, as it has ended by itself or says nothing."""
    return UsageError("Only a reply that was cut off can go on.", "Ask something instead.")
