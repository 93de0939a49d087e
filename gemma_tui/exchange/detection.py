"""Opens a file of conversations and finds out who wrote it, by its content and not by its name."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ExchangeError
from gemma_tui.exchange.chatgpt_archive import open_archive, read_archive
from gemma_tui.exchange.chatgpt_json import read_chatgpt_json
from gemma_tui.exchange.found import Source
from gemma_tui.exchange.json_import import read_own_json, unknown_format
from gemma_tui.exchange.json_stream import JsonStream
from gemma_tui.exchange.oterm import read_oterm
from gemma_tui.exchange.watched_file import WatchedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

_SQLITE: Final = b"SQLite format 3\0"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")


@contextmanager
def open_source(path: Path, scratch: Path, progress: Callable[[float], None]) -> Iterator[Source]:
    """What a file yields, to be read while the block runs.

    Args:
        path: The file.
        scratch: A folder for the bytes of attachments.
        progress: Told how far the file is read, 0 to 1, from the thread that reads.

    Raises:
        ExchangeError: It cannot be opened, or is nothing this program imports.
    """
    with _open_regular(path) as file:
        beginning = file.read(16)
        file.seek(0)
        if beginning == _SQLITE:
            yield Source("oterm", read_oterm(path, scratch, progress), is_sorted=True)
        elif beginning.startswith(_ZIP):
            with open_archive(file, path.name) as archive:
                found = read_archive(archive, path.name, scratch, progress)
                yield Source("ChatGPT", found, is_sorted=False)
        else:
            size = os.fstat(file.fileno()).st_size
            yield _json_source(WatchedFile(file, size, progress), path.name, scratch)


def _json_source(file: WatchedFile, name: str, scratch: Path) -> Source:
    stream = JsonStream(file, name)
    match stream.next_character():
        case "[":
            return Source("ChatGPT", read_chatgpt_json(stream, name), is_sorted=False)
        case "{":
            keys = stream.members()
            first = next(keys, "")
            if first == "format":
                found = read_own_json(stream, keys, name, scratch)
                return Source("gemma-tui", found, is_sorted=True, is_own=True)
            if first == "conversations":
                conversations = read_chatgpt_json(stream, name, is_whole=False)
                return Source("ChatGPT", conversations, is_sorted=False)
        case _:
            pass
    raise unknown_format(name)


@contextmanager
def _open_regular(path: Path) -> Iterator[BinaryIO]:
    try:
        # O_NONBLOCK: opening a named pipe that nobody writes would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ExchangeError(f"“{path}” cannot be opened ({reason}).", "Check the name.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ExchangeError(f"“{path}” is no file.", "Choose the file that was exported.")
    with os.fdopen(descriptor, "rb") as file:
        try:
            yield file
        except OSError as error:
            raise ExchangeError(
                f"“{path.name}” could not be read to its end ({error.strerror or error}).",
                "Copy it to this computer's disk first.",
            ) from error
