"""A file that tells how far it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.exchange.json_stream import Readable


class WatchedFile:
    """Bytes out of another file.

    Args:
        file: Where they come from.
        size: Bytes it holds.
        progress: Told how far it was read, 0 to 1.
    """

    def __init__(self, file: Readable, size: int, progress: Callable[[float], None]) -> None:
        self._file = file
        self._size = size
        self._progress = progress
        self._done = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes, `size` at most; none at the end."""
        chunk = self._file.read(size)
        self._done += len(chunk)
        self._progress(min(1.0, self._done / max(self._size, 1)))
        return chunk
