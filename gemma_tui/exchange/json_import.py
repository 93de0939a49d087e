"""Reads our own JSON: the bytes of attachments to files, then one conversation at a time."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import DamagedExportError, UnknownFormatError
from gemma_tui.exchange import fields
from gemma_tui.exchange.fields import FieldError
from gemma_tui.exchange.found import MediaFile, Skipped
from gemma_tui.exchange.json_format import FORMAT, VERSION, from_json
from gemma_tui.exchange.json_parts import SHA256
from gemma_tui.server_name import server_of
from gemma_tui.settings.reading import overrides_text, read_overrides
from gemma_tui.storage.blobs import MAX_BLOB_BYTES
from gemma_tui.storage.faults import storage_faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gemma_tui.exchange.found import Found
    from gemma_tui.exchange.json_stream import JsonStream
    from gemma_tui.storage.trees import Tree
    from gemma_tui.tool_call import JsonValue

_MAX_NAMES: Final = 10
"""So many settings that were left out are named."""


def read_own_json(
    stream: JsonStream, keys: Iterator[str], name: str, folder: Path
) -> Iterator[Found]:
    """The rest of a file whose first key has been read and is `format`.

    Args:
        stream: Before the value of that key.
        keys: The keys of the file.
        name: What the file is called in sentences.
        folder: For the bytes of attachments, one file at a time.

    Yields:
        The attachments, then the conversations.

    Raises:
        UnknownFormatError: It is of another program, or of a newer version.
        DamagedExportError: It is not what we write.
        ExportLimitError: Something in it is too large.
    """
    if stream.value() != FORMAT:
        raise unknown_format(name)
    seen = {"format"}
    for key in keys:
        seen.add(key)
        try:
            match key:
                case "version":
                    _check_version(stream.value(), name)
                case "files" if "version" in seen:
                    yield from _files(stream, folder)
                case "conversations" if "version" in seen:
                    for _ in stream.elements():
                        yield from _with_settings(from_json(stream.value()))
                case _:
                    raise _damaged(name, f"“{key[:40]}” is not expected here")
        except FieldError as error:
            raise _damaged(name, str(error)) from error
    if "conversations" not in seen:
        raise _damaged(name, "conversations are missing")
    stream.finish()


def _check_version(version: JsonValue, name: str) -> None:
    if version == VERSION and not isinstance(version, bool):
        return
    if isinstance(version, int) and version > VERSION:
        raise UnknownFormatError(
            f"“{name}” was written by a newer version of gemma-tui.", "Update gemma-tui."
        )
    raise FieldError("its version is unknown")


def _with_settings(tree: Tree) -> Iterator[Found]:
    """The conversation with the settings that this version knows, in bounds; else as it was.

    What is kept unread would be obeyed by a later version that knows it.
    """
    known = tree.conversation
    layer = read_overrides(known.settings)
    names = json.loads(known.settings) if known.settings else {}
    left = [f"“{name[:40]}”" for name in names if name not in layer.values]
    if left:
        more = len(left) - _MAX_NAMES
        listed = ", ".join(left[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
        yield Skipped(
            f"Settings of “{known.title[:80]}” that are unknown or out of bounds: {listed}."
        )
        tree = replace(tree, conversation=replace(known, settings=overrides_text(layer.values, {})))
    if server_of(str(layer.values.get("model") or "")):
        # Nobody's words go to a server because a file says so.
        values = {key: value for key, value in layer.values.items() if key != "model"}
        tree = replace(tree, conversation=replace(known, settings=overrides_text(values, {})))
        yield Skipped(f"“{known.title[:80]}” was answered by a server, which is not chosen again.")
    yield tree


def _files(stream: JsonStream, folder: Path) -> Iterator[Found]:
    """Each file once its last piece is there; only one piece is in memory."""
    path = folder / "file"
    current, size = "", 0
    for _ in stream.elements():
        item = fields.as_object(stream.value(), "a piece of a file")
        sha256 = fields.text(item, "sha256")
        if not SHA256.fullmatch(sha256):
            raise FieldError("sha256 is none")
        data = _decoded(fields.text(item, "data"))
        if sha256 != current:
            if current:
                yield MediaFile(current, path, current, is_own=True)
            current, size = sha256, 0
        size += len(data)
        if size > MAX_BLOB_BYTES:
            raise FieldError(f"an attachment is larger than {MAX_BLOB_BYTES >> 20} MB")
        with storage_faults(path), path.open("ab" if size > len(data) else "wb") as file:
            file.write(data)
    if current:
        yield MediaFile(current, path, current, is_own=True)


def _decoded(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FieldError("data is no base64") from error
    if not data:
        raise FieldError("data is empty")
    return data


def unknown_format(name: str) -> UnknownFormatError:
    """The sentence for a file of any other program."""
    return UnknownFormatError(
        f"“{name}” is no export of gemma-tui, ChatGPT or oterm.", "Choose another file."
    )


def _damaged(name: str, reason: str) -> DamagedExportError:
    return DamagedExportError(
        f"“{name}” was not imported: it is not what gemma-tui writes ({reason}).",
        "Export it again.",
    )
