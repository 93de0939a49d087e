"""The rest of a file from some byte on, as a file of its own."""

from __future__ import annotations

import io
import os
from typing import BinaryIO


class FileTail(io.RawIOBase):
    """What lies behind a place in a file; it does not close that.

    Args:
        file: Where nobody else moves as long as this is read.
        start: Its first byte.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = start
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any file."""
        if whence == os.SEEK_END:
            offset += self._file.seek(0, os.SEEK_END) - self._start
        elif whence == os.SEEK_CUR:
            offset += self._at
        self._at = max(0, offset)
        return self._at

    def tell(self) -> int:
        """As of any file."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        self._file.seek(self._start + self._at)
        found = self._file.read(size)
        self._at += len(found)
        return found
