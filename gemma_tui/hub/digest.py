"""Whether a file is what the hub lists: its size and its digest, read in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gemma_tui.hub.listing import RepoFile

_BLOCK: Final = 4 * 1024 * 1024


def blocks(path: Path) -> Iterator[bytes]:
    """The content of a file, 4 MiB at a time; nothing if there is no such file.

    Raises:
        OSError: It is there and cannot be read.
    """
    try:
        content = path.open("rb", buffering=0)
    except FileNotFoundError:
        return
    with content:
        while block := content.read(_BLOCK):
            yield block


def is_right(path: Path, file: RepoFile, tell: Callable[[int], None]) -> bool:
    """Whether `path` holds `file`, byte for byte. Blocks for seconds: not for an event loop.

    Args:
        path: Where it is, or is not.
        file: What it should be.
        tell: Told how many more bytes were read; what it raises ends the reading.

    Raises:
        OSError: It is there and cannot be read.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    if size != file.size_bytes:
        return False
    hasher = file.hasher()
    for block in blocks(path):
        hasher.update(block)
        tell(len(block))
    return hasher.hexdigest() == file.digest
