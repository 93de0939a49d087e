"""Values to rows and rows to values: the one place that knows the columns of messages and parts.

Plain functions on a connection; transactions are the caller's.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Draft,
    Message,
    MessageState,
    Part,
    TextPart,
    ThoughtPart,
    Usage,
)
from gemma_tui.storage.search_index import index
from gemma_tui.storage.segments import pack_segments, unpack_segments
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

USAGE_COLUMNS: Final = (
    "prompt_tokens",
    "cached_tokens",
    "generated_tokens",
    "prefill_seconds",
    "decode_seconds",
    "peak_memory_bytes",
)

_BRANCH: Final = """
    WITH RECURSIVE branch (id, depth) AS (
        SELECT id, 0 FROM message WHERE id = ? AND conversation_id = ?
        UNION ALL
        SELECT message.parent_id, depth + 1 FROM branch JOIN message ON message.id = branch.id
        WHERE message.parent_id IS NOT NULL
    )
"""
_MESSAGES: Final = f"""{_BRANCH}
    SELECT message.* FROM branch JOIN message USING (id) ORDER BY depth DESC
"""  # noqa: S608  # constants only
_PARTS: Final = f"""{_BRANCH}
    SELECT part.*, kind, media_type, size_bytes, width, height, sample_count
    FROM branch JOIN part ON part.message_id = branch.id LEFT JOIN attachment USING (sha256)
    ORDER BY part.message_id, part.position
"""  # noqa: S608  # constants only


def to_text(text: str) -> str:
    """`text` as SQLite can hold it: lone surrogates (undecodable file names) become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_branch(
    connection: sqlite3.Connection, conversation_id: int, leaf_id: int
) -> tuple[Message, ...]:
    """The messages from the root to `leaf_id`, in order."""
    place = (leaf_id, conversation_id)
    parts: dict[int, list[Part]] = {}
    for row in connection.execute(_PARTS, place):
        parts.setdefault(row["message_id"], []).append(_to_part(row))
    rows = connection.execute(_MESSAGES, place)
    return tuple(_to_message(row, tuple(parts.get(row["id"], ()))) for row in rows)


def read_message(connection: sqlite3.Connection, message_id: int) -> Message | None:
    """One message."""
    row = connection.execute("SELECT * FROM message WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        return None
    found = connection.execute(
        "SELECT * FROM part LEFT JOIN attachment USING (sha256) WHERE message_id = ?"
        " ORDER BY position",
        (message_id,),
    )
    return _to_message(row, tuple(_to_part(part) for part in found))


def insert_message(connection: sqlite3.Connection, message: Message, writer: str) -> int:
    """Store a new message with its parts.

    Args:
        connection: Inside a transaction.
        message: Its `id` is ignored.
        writer: Token of the process that writes it.

    Returns:
        The id it got.
    """
    row_id = connection.execute(
        "INSERT INTO message"
        " (conversation_id, parent_id, role, state, writer, created_at, thinking)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(message.conversation_id, message.parent_id, message.role),
            *(message.state.value, writer, message.created_at, message.thinking),
        ),
    ).lastrowid
    write_parts(connection, row_id or 0, message.parts)
    index(connection, (row_id or 0,))
    return row_id or 0


def write_parts(connection: sqlite3.Connection, message_id: int, parts: Sequence[Part]) -> None:
    """Make `parts` the parts of a message; rows that are the same already are not written."""
    for position, part in enumerate(parts):
        if isinstance(part, AttachmentPart):
            write_attachment(connection, part.attachment)
        connection.execute(
            "INSERT INTO part"
            " (message_id, position, type, text, sha256, name, token_budget, segments)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id, position) DO UPDATE SET"
            " type = excluded.type, text = excluded.text, sha256 = excluded.sha256,"
            " name = excluded.name, token_budget = excluded.token_budget,"
            " segments = excluded.segments"
            " WHERE type <> excluded.type OR text <> excluded.text OR excluded.sha256 IS NOT NULL",
            (message_id, position, *_part_row(part)),
        )
    connection.execute(
        "DELETE FROM part WHERE message_id = ? AND position >= ?", (message_id, len(parts))
    )


def _part_row(part: Part) -> tuple[str, str, str | None, str, int, str]:
    """Type, text, sha256, name, token budget and segments."""
    match part:
        case TextPart(text):
            return ("text", to_text(text), None, "", 0, "")
        case ThoughtPart(text):
            return ("thought", to_text(text), None, "", 0, "")
        case AttachmentPart(attachment):
            return ("attachment", "", attachment.sha256, *_use(attachment))
        case ToolCall() | MalformedToolCall():
            return ("tool_call", json.dumps(asdict(part)), None, "", 0, "")
        case ToolResult():
            return ("tool_result", json.dumps(asdict(part)), None, "", 0, "")


def _use(attachment: Attachment) -> tuple[str, int, str]:
    """Name, token budget and segments: what belongs to one use of the bytes."""
    return to_text(attachment.name), attachment.token_budget, pack_segments(attachment.segments)


def write_attachment(connection: sqlite3.Connection, attachment: Attachment) -> None:
    """What is true of the bytes; what belongs to each use of them is elsewhere."""
    connection.execute(
        "INSERT INTO attachment VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING",
        (
            attachment.sha256,
            attachment.kind,
            attachment.media_type,
            attachment.size_bytes,
            attachment.width,
            attachment.height,
            attachment.sample_count,
        ),
    )


def take_over_draft(
    connection: sqlite3.Connection, writer: str, is_alive: Callable[[str], bool]
) -> None:
    """Give a writer that has no draft of a new conversation the latest one of a dead writer."""
    rows = connection.execute(
        "SELECT id, writer FROM draft WHERE conversation_id IS NULL"
        " ORDER BY writer = ? DESC, id DESC",
        (writer,),
    ).fetchall()
    for row in rows:
        if row["writer"] == writer:
            return
        if not is_alive(row["writer"]):
            connection.execute("UPDATE draft SET writer = ? WHERE id = ?", (writer, row["id"]))
            return


def read_draft(connection: sqlite3.Connection, conversation_id: int | None, writer: str) -> Draft:
    """The draft of a conversation (None: of the one that `writer` has not created yet)."""
    row = connection.execute(
        "SELECT id, text FROM draft WHERE coalesce(conversation_id, 0) = ? AND writer = ?",
        _draft_place(conversation_id, writer),
    ).fetchone()
    if row is None:
        return Draft()
    found: Iterable[sqlite3.Row] = connection.execute(
        "SELECT * FROM draft_attachment JOIN attachment USING (sha256) WHERE draft_id = ?"
        " ORDER BY position",
        (row["id"],),
    )
    return Draft(row["text"], tuple(to_attachment(item) for item in found))


def write_draft(
    connection: sqlite3.Connection, conversation_id: int | None, draft: Draft, writer: str
) -> None:
    """Replace the draft of a place (see `read_draft`); an empty one leaves no row."""
    place = _draft_place(conversation_id, writer)
    connection.execute(
        "DELETE FROM draft WHERE coalesce(conversation_id, 0) = ? AND writer = ?", place
    )
    if not draft.text and not draft.attachments:
        return
    draft_id = connection.execute(
        "INSERT INTO draft (conversation_id, writer, text) VALUES (nullif(?, 0), ?, ?)",
        (*place, to_text(draft.text)),
    ).lastrowid
    for position, item in enumerate(draft.attachments):
        write_attachment(connection, item)
        connection.execute(
            "INSERT INTO draft_attachment VALUES (?, ?, ?, ?, ?, ?)",
            (draft_id, position, item.sha256, *_use(item)),
        )


def _draft_place(conversation_id: int | None, writer: str) -> tuple[int, str]:
    return (0, writer) if conversation_id is None else (conversation_id, "")


def _to_part(row: sqlite3.Row) -> Part:
    match row["type"]:
        case "text":
            return TextPart(row["text"])
        case "thought":
            return ThoughtPart(row["text"])
        case "tool_call":
            value = json.loads(row["text"])
            return ToolCall(**value) if "name" in value else MalformedToolCall(**value)
        case "tool_result":
            return ToolResult(**json.loads(row["text"]))
        case _:
            return AttachmentPart(to_attachment(row))


def to_attachment(row: sqlite3.Row) -> Attachment:
    """An attachment as one use of it is stored, its columns and those of the bytes together."""
    return Attachment(
        sha256=row["sha256"],
        kind=row["kind"],
        name=row["name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        width=row["width"],
        height=row["height"],
        sample_count=row["sample_count"],
        token_budget=row["token_budget"],
        segments=unpack_segments(row["segments"]),
    )


def _to_message(row: sqlite3.Row, parts: tuple[Part, ...]) -> Message:
    has_usage = row["prompt_tokens"] is not None
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        role=row["role"],
        parts=parts,
        state=MessageState(row["state"]),
        created_at=row["created_at"],
        model=row["model"],
        finish_reason=row["finish_reason"],
        usage=Usage(**{name: row[name] for name in USAGE_COLUMNS}) if has_usage else None,
        error=row["error"],
        thinking=bool(row["thinking"]),
        token_ids=unpack_ids(row["token_ids"]),
    )


def pack_ids(token_ids: Sequence[int]) -> bytes | None:
    """Token ids as they are stored."""
    return struct.pack(f"<{len(token_ids)}I", *token_ids) if token_ids else None


def unpack_ids(stored: bytes | None) -> tuple[int, ...]:
    """Token ids as `pack_ids` stored them."""
    return struct.unpack(f"<{len(stored) // 4}I", stored) if stored else ()
