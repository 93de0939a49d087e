"""Reads the database of oterm: its chats, their messages and pictures.

The file is only read, in a connection that may do nothing else, and nothing in it is believed: its
tables must be plain tables, values are taken only if they are of the type they should be.
"""

from __future__ import annotations

import binascii
import json
import sqlite3
from base64 import b64decode
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Conversation,
    Draft,
    Message,
    MessageState,
    TextPart,
    title_from,
)
from gemma_tui.errors import DamagedExportError, UnknownFormatError
from gemma_tui.exchange.found import MediaFile, Skipped
from gemma_tui.storage.faults import storage_faults
from gemma_tui.storage.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gemma_tui.conversation import Part
    from gemma_tui.exchange.found import Found

MAX_VALUE_BYTES: Final = 64 << 20
"""Of one text or list of pictures."""

MAX_MESSAGES: Final = 50_000
"""Of one chat."""

_COLUMNS: Final = {"chat": {"id", "name"}, "message": {"chat_id", "author", "text"}}
_USERS: Final = {"me", "user"}
_ALLOWED: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_PRAGMA,
    sqlite3.SQLITE_TRANSACTION,
}


def read_oterm(path: Path, folder: Path, progress: Callable[[float], None]) -> Iterator[Found]:
    """The chats of a database, the oldest first.

    Args:
        path: The database; it may be open in oterm.
        folder: For the bytes of pictures, one file at a time.
        progress: Told how far it is read, 0 to 1.

    Yields:
        The pictures of each chat, then the chat.

    Raises:
        UnknownFormatError: It is another program's database.
        DamagedExportError: SQLite cannot read it.
    """
    with _reading(path.name), closing(_connect(path)) as connection:
        connection.execute("BEGIN")
        columns = {table: _columns(connection, table) for table in _COLUMNS}
        if any(not needed <= columns[table] for table, needed in _COLUMNS.items()):
            raise UnknownFormatError(
                f"“{path.name}” is a database, but none of oterm's.",
                "oterm keeps its chats in store.db.",
            )
        chats = connection.execute("SELECT * FROM chat ORDER BY id").fetchall()
        for number, chat in enumerate(chats, start=1):
            yield from _chat(connection, chat, "images" in columns["message"], folder)
            progress(number / len(chats))


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        raise DamagedExportError(
            f"“{name}” was not imported: SQLite cannot read it ({error}).",
            "Close oterm, and try a copy of the file.",
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
    )
    return connection


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Columns of a plain table; a view or a virtual table could compute whatever it likes."""
    plain = connection.execute(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? AND rootpage > 0", (table,)
    ).fetchone()
    if plain is None:
        return set()
    # Generated columns are not among them: `table_info` leaves them out.
    return {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}


def _chat(
    connection: sqlite3.Connection, chat: sqlite3.Row, has_images: bool, folder: Path
) -> Iterator[Found]:
    images = "images" if has_images else "'[]' AS images"
    rows = connection.execute(
        f"SELECT author, text, {images} FROM message WHERE chat_id = ? ORDER BY rowid LIMIT ?",  # noqa: S608
        (chat["id"], MAX_MESSAGES + 1),
    )
    name = _text(chat, "name")
    messages: list[Message] = []
    for row in rows:
        parts: list[Part] = []
        for number, data in enumerate(_pictures(row["images"]), start=1):
            key = f"oterm-{chat['id']}-{len(messages) + 1}-{number}"
            path = folder / "file"
            with storage_faults(path):
                path.write_bytes(data)
            yield MediaFile(key, path, f"picture-{number}")
            parts.append(AttachmentPart(Attachment(key, "image", f"picture-{number}", "", 0)))
        if text := _text(row, "text"):
            parts.append(TextPart(text))
        messages.append(_message(len(messages) + 1, row, tuple(parts), _text(chat, "model")))
    if not messages or len(messages) > MAX_MESSAGES:
        reason = "has no messages" if not messages else "has too many messages"
        yield Skipped(f"The chat “{name[:60] or chat['id']}” was left out: it {reason}.")
        return
    title = name or title_from(Draft(messages[0].text))
    conversation = Conversation(
        id=0,
        title=title,
        created_at=0.0,  # oterm keeps no times
        updated_at=0.0,
        system_prompt=_text(chat, "system"),
        leaf_id=len(messages),
        title_origin="user" if name else "question",
    )
    yield Tree(conversation, tuple(messages), Draft())


def _message(number: int, row: sqlite3.Row, parts: tuple[Part, ...], model: str) -> Message:
    is_question = row["author"] in _USERS
    return Message(
        id=number,
        conversation_id=0,
        parent_id=number - 1 or None,
        role="user" if is_question else "model",
        parts=parts,
        state=MessageState.COMPLETE,
        created_at=0.0,
        model="" if is_question else model,
        finish_reason="" if is_question else "stop",
    )


def _pictures(value: object) -> Iterator[bytes]:
    """The pictures of a message: base64 in a JSON list; what is none is passed over."""
    try:
        entries = json.loads(value) if isinstance(value, str) else []
    except (ValueError, RecursionError):
        return
    for entry in entries if isinstance(entries, list) else []:
        try:
            data = b64decode(entry, validate=True) if isinstance(entry, str) else b""
        except (binascii.Error, ValueError):
            continue
        if data:
            yield data


def _text(row: sqlite3.Row, name: str) -> str:
    value = row[name] if name in row.keys() else ""  # noqa: SIM118  # a row is no mapping
    return value if isinstance(value, str) else ""
