"""A file that comes in several stretches at once, and goes on where it stopped after any end.

Beside the data lies a journal: for each stretch how many bytes of it are there, and their CRC-32.
Data are written first, the journal after them, so a process killed in between has more than the
journal says, never less: at most what one write brought is fetched again. What a power failure
takes from a disk is found by the CRCs, stretch by stretch (`lost_stretches`). Neither proves that
the file is the right one: that its digest does.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STRETCH_BYTES: Final = 32 * 1024 * 1024
"""Of a stretch: one request. Large, because a request costs a round trip or two."""

_MAGIC: Final = b"gtpart01"
_HEADER: Final = struct.Struct("<8sQQ")
_ENTRY: Final = struct.Struct("<QQ")
_BLOCK: Final = 1024 * 1024


@dataclass(slots=True)
class Stretch:
    """Bytes `start` to `end` (exclusive) of the file, of which the first `done` are there."""

    index: int
    start: int
    end: int
    done: int = 0
    crc: int = 0

    @property
    def position(self) -> int:
        """Where the next byte goes."""
        return self.start + self.done

    @property
    def is_done(self) -> bool:
        """Whether all of it is there."""
        return self.position == self.end


class PartialFile:
    """Opens the data and the journal, or begins them anew if they do not fit each other.

    Args:
        path: Of the data; the journal lies beside it.
        size_bytes: Of the whole file.
        stretch_bytes: Length of a stretch; a journal with another one is begun anew.

    Raises:
        OSError: They cannot be opened; also by every method.
    """

    def __init__(self, path: Path, size_bytes: int, stretch_bytes: int = STRETCH_BYTES) -> None:
        self.path = path
        self.size_bytes = size_bytes
        starts = range(0, size_bytes, stretch_bytes)
        self.stretches = [
            Stretch(i, start, min(start + stretch_bytes, size_bytes))
            for i, start in enumerate(starts)
        ]
        self._header = _HEADER.pack(_MAGIC, size_bytes, stretch_bytes)
        # No link is followed: the file must be the one in this folder.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._data = os.open(path, flags, 0o644)
        try:
            self._journal = os.open(journal_of(path), flags, 0o644)
        except OSError:
            os.close(self._data)
            raise
        self._read_journal()

    @property
    def done_bytes(self) -> int:
        """How much is there."""
        return sum(stretch.done for stretch in self.stretches)

    @property
    def is_done(self) -> bool:
        """Whether every byte is there; whether they are right is another question."""
        return all(stretch.is_done for stretch in self.stretches)

    def write(self, stretch: Stretch, data: bytes) -> None:
        """Add to a stretch; what would go beyond its end is left out."""
        data = data[: stretch.end - stretch.position]
        view = memoryview(data)
        while view:
            count = os.pwrite(self._data, view, stretch.position + len(data) - len(view))
            view = view[count:]
        stretch.crc = zlib.crc32(data, stretch.crc)
        stretch.done += len(data)
        self._note(stretch)

    def lost_stretches(self) -> list[Stretch]:
        """Those that are not what was written. Blocks for seconds; may run in a thread."""
        lost = []
        with self.path.open("rb", buffering=0) as content:
            for stretch in self.stretches:
                crc, left = 0, stretch.done
                content.seek(stretch.start)
                while left and (block := content.read(min(_BLOCK, left))):
                    crc, left = zlib.crc32(block, crc), left - len(block)
                if left or crc != stretch.crc:
                    lost.append(stretch)
        return lost

    def forget(self, stretches: Iterable[Stretch]) -> None:
        """Give up what is there of some stretches."""
        for stretch in stretches:
            stretch.done = stretch.crc = 0
            self._note(stretch)

    def sync(self) -> None:
        """Have the disk hold the data. Blocks; may run in a thread while others write."""
        with self.path.open("rb") as content:
            os.fsync(content.fileno())

    def publish(self, target: Path) -> None:
        """Move the data to where whole files are; closes the file."""
        self.path.replace(target)
        journal_of(self.path).unlink()
        self.close()

    def close(self) -> None:
        """Leave it as it is."""
        for descriptor in (self._data, self._journal):
            if descriptor >= 0:
                os.close(descriptor)
        self._data = self._journal = -1

    def _note(self, stretch: Stretch) -> None:
        place = _HEADER.size + _ENTRY.size * stretch.index
        os.pwrite(self._journal, _ENTRY.pack(stretch.done, stretch.crc), place)

    def _read_journal(self) -> None:
        """Take over what the journal says, if it is one of this file and the data can be there."""
        length = os.fstat(self._data).st_size
        counts = _counts(self._journal, self._header, len(self.stretches))
        is_right = counts is not None and all(
            done <= stretch.end - stretch.start and (not done or stretch.start + done <= length)
            for stretch, (done, _) in zip(self.stretches, counts, strict=True)
        )
        if counts is None or not is_right:
            os.ftruncate(self._journal, 0)
            os.ftruncate(self._data, 0)
            empty = _ENTRY.pack(0, 0) * len(self.stretches)
            os.pwrite(self._journal, self._header + empty, 0)
            return
        for stretch, (done, crc) in zip(self.stretches, counts, strict=True):
            stretch.done, stretch.crc = done, crc


def journal_of(path: Path) -> Path:
    """The journal of a partial file."""
    return path.with_suffix(".journal")


def done_bytes(path: Path) -> int:
    """How much of a partial file is there, by its journal; nothing if that cannot be read."""
    try:
        content = journal_of(path).read_bytes()
    except OSError:
        return 0
    entries = content[_HEADER.size :]
    if not content.startswith(_MAGIC) or len(entries) % _ENTRY.size:
        return 0
    return sum(done for done, _ in _ENTRY.iter_unpack(entries))


def _counts(journal: int, header: bytes, count: int) -> list[tuple[int, int]] | None:
    content = os.pread(journal, len(header) + _ENTRY.size * count + 1, 0)
    if not content.startswith(header) or len(content) != len(header) + _ENTRY.size * count:
        return None
    return list(_ENTRY.iter_unpack(content[len(header) :]))
