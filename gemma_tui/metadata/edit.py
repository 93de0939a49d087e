"""Changes to the bytes of a file."""

from __future__ import annotations

import mmap  # noqa: TC003  # in an alias
from dataclasses import dataclass
from typing import Final, TypeAlias

Data: TypeAlias = "mmap.mmap | bytearray"
"""All bytes of a file, writable."""

_ZEROS: Final = bytes(1 << 20)


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes that are to stand in place of others."""

    start: int
    stop: int
    text: bytes = b""


class Eraser:
    """Overwrites bytes in place, within bounds: a hostile file could ask for more than exists.

    Args:
        data: The file.
    """

    def __init__(self, data: Data) -> None:
        self._data = data
        self._left = 4 * len(data)

    def erase(self, start: int, stop: int) -> None:
        """Overwrite with zeros, as far as the file goes.

        Raises:
            ValueError: Far more was erased than there is.
        """
        start, stop = max(0, start), min(stop, len(self._data))
        self._left -= max(0, stop - start)
        if self._left < 0:
            raise ValueError("metadata lies over itself again and again")
        for at in range(start, stop, len(_ZEROS)):
            end = min(at + len(_ZEROS), stop)
            self._data[at:end] = _ZEROS[: end - at]
