"""The changes a reply goes through in its row: it grows, ends, and may go on.

Plain functions on a connection; transactions are the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.storage.rows import USAGE_COLUMNS, pack_ids, read_message, to_text, write_parts

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
    """Store what a reply says so far, and the tokens that say it."""
    write_parts(connection, message_id, parts)
    connection.execute(
        "UPDATE message SET token_ids = ? WHERE id = ?", (pack_ids(token_ids), message_id)
    )


def finish_message(connection: sqlite3.Connection, message: Message) -> Message | None:
    """Store every value of a message that can change; returns it as stored, None if it is gone."""
    write_so_far(connection, message.id, message.parts, message.token_ids)
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
    return read_message(connection, message.id)


def resume_message(connection: sqlite3.Connection, message_id: int, writer: str) -> Message | None:
    """Let a reply stream again; None if it is gone, or streams already.

    Args:
        connection: Inside a transaction.
        message_id: The reply.
        writer: Token of the process that writes it.
    """
    changed = connection.execute(
        "UPDATE message SET state = 'streaming', writer = ?, finish_reason = '', error = ''"
        " WHERE id = ? AND state <> 'streaming'",
        (writer, message_id),
    ).rowcount
    return read_message(connection, message_id) if changed else None
