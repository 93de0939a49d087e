"""A WAV file that can be read at every moment, whatever happens to whoever writes it.

The header is written anew behind every piece of sound, and always says a little less than is there.
"""

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

HEADER_BYTES: Final = 44
SAMPLE_BYTES: Final = 2

MAX_SOUND_BYTES: Final = 0xFFFF_FFFF - HEADER_BYTES
"""The sizes in the header have 32 bits: 12 hours at 48 kHz."""

_SYNC_SECONDS: Final = 5.0
"""So much at most is lost when the power fails; a program that dies loses nothing written."""


class WaveWriter:
    """Writes PCM of 16 bits.

    Args:
        path: The file; what it holds is overwritten.
        rate: Samples a second.
        channels: Interleaved.

    Raises:
        OSError: By everything here: the system refuses.
    """

    def __init__(self, path: Path, rate: int, channels: int) -> None:
        self._rate = rate
        self._frame_bytes = SAMPLE_BYTES * channels
        self._channels = channels
        self._written = 0
        self._synced = time.monotonic()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._write_header()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    @property
    def seconds(self) -> float:
        """What is on the disk."""
        return self._written / (self._frame_bytes * self._rate)

    @property
    def is_full(self) -> bool:
        """Whether the file can take no further second."""
        return self._written + self._frame_bytes * self._rate > MAX_SOUND_BYTES

    def write(self, sound: bytes) -> None:
        """Append whole frames, little-endian; then let the header know."""
        rest = memoryview(sound)
        while rest:
            count = os.pwrite(self._descriptor, rest, HEADER_BYTES + self._written)
            self._written += count
            rest = rest[count:]
        self._write_header()
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fsync(self._descriptor)
            self._synced = time.monotonic()

    def _write_header(self) -> None:
        size = self._written
        form = struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + size, b"WAVE")
        numbers = (self._channels, self._rate, self._rate * self._frame_bytes, self._frame_bytes)
        form += struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, *numbers, 8 * SAMPLE_BYTES)
        os.pwrite(self._descriptor, form + struct.pack("<4sI", b"data", size), 0)
