"""Writes conversations as our own JSON, one at a time, with the bytes of their attachments.

`files` holds the bytes in pieces, `{"sha256": …, "data": base64}`; the pieces of one file follow
each other. They come before the conversations, so that an import has them when it meets a name.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import AttachmentPart
from gemma_tui.exchange.json_format import FORMAT, VERSION, to_json
from gemma_tui.sanitize import sanitize
from gemma_tui.storage.faults import storage_faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from gemma_tui.conversation import Attachment
    from gemma_tui.storage.trees import Tree, TreeStore
    from gemma_tui.tool_call import JsonObject

PIECE_BYTES: Final = 3 << 18
"""768 KiB: a multiple of 3, so that base64 of the pieces has no padding inside a file."""


async def json_pieces(
    ids: Sequence[int], trees: TreeStore, path_of: Callable[[str], Path]
) -> AsyncIterator[bytes]:
    """The text of the file, piece by piece; of the conversations one at a time is in memory.

    Args:
        ids: The conversations, in the order of the file.
        trees: Where they are.
        path_of: Where the bytes of a sha256 are. What is missing there is left out.

    Raises:
        StorageError: A conversation or an attachment cannot be read.
    """
    head = f'{{"format":{json.dumps(FORMAT)},"version":{VERSION},\n"files":['
    yield head.encode()
    separator = "\n"
    for sha256, path in await _files(ids, trees, path_of):
        with storage_faults(path), path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                data: JsonObject = {"sha256": sha256, "data": b64encode(piece).decode()}
                yield (separator + to_line(data)).encode()
                separator = ",\n"
    yield b'\n],\n"conversations":['
    separator = "\n"
    for conversation_id in ids:
        tree = await trees.read(conversation_id)
        yield (separator + await asyncio.to_thread(_to_line, tree)).encode()
        separator = ",\n"
    yield b"\n]}\n"


def to_line(value: JsonObject) -> str:
    r"""JSON on one line that may be shown anywhere: what could act on a terminal is a `\u` escape.

    Text that holds nothing of the kind stays readable in every script.
    """
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if sanitize(line) != line:
        line = json.dumps(value, separators=(",", ":"), allow_nan=False)
        line = line.replace("\x7f", "\\u007f")
    return line


async def _files(
    ids: Sequence[int], trees: TreeStore, path_of: Callable[[str], Path]
) -> list[tuple[str, Path]]:
    """Every file once, in the order of its first use."""
    found: dict[str, Path] = {}
    for conversation_id in ids:
        for attachment in attachments_of(await trees.read(conversation_id)):
            path = path_of(attachment.sha256)
            if path.is_file():
                found.setdefault(attachment.sha256, path)
    return list(found.items())


def attachments_of(tree: Tree) -> Iterator[Attachment]:
    """Every attachment of a conversation, the draft's last."""
    for message in tree.messages:
        for part in message.parts:
            if isinstance(part, AttachmentPart):
                yield part.attachment
    yield from tree.draft.attachments


def _to_line(tree: Tree) -> str:
    return to_line(to_json(tree))
