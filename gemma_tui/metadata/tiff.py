"""TIFF (revision 6) and BigTIFF: directories of entries that point to values anywhere in the file.

So nothing can be cut out: a directory is written again with fewer entries, in its own place, and
the values of the others are overwritten with zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from gemma_tui.metadata.edit import Eraser

if TYPE_CHECKING:
    from gemma_tui.metadata.edit import Data, Edit

_KEPT: Final = frozenset(
    {
        *range(254, 260),  # size, bits, compression
        *(262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284),
        *(290, 291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325),
        *(330, 332, 334, 336, 338, 339, 340, 341, 342, 347),
        *range(512, 522),  # JPEG inside, the old way
        *(529, 530, 531, 532, 34675),  # how colours are meant
    }
)
"""Tags without which the pixels could not be read, and the orientation (274)."""

_PAGES: Final = 330
_DIRECTORIES: Final = frozenset({34665, 34853, 40965})
"""EXIF, GPS and interoperability: nothing of these is kept."""

_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_BIG_SIZES: Final = {16: 8, 17: 8, 18: 8}
_MOST_ENTRIES: Final = 50_000


@dataclass(frozen=True, slots=True)
class _Entry:
    tag: int
    start: int
    """Where the value is, inside or outside of the entry."""
    size: int
    """Bytes of the value."""
    width: int
    """Bytes of one number of it."""
    is_inside: bool
    raw: bytes

    def is_at(self, place: int) -> bool:
        """Whether its value lies there, outside of its directory."""
        return not self.is_inside and self.start <= place < self.start + self.size


class _Tiff:
    def __init__(self, data: Data) -> None:
        self._data = data
        self._eraser = Eraser(data)
        self._order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
        self._is_big = self._number(2, 2) == 43
        self._word = 8 if self._is_big else 4
        self._left = _MOST_ENTRIES
        self._seen: set[int] = set()

    def clean(self) -> None:
        waiting = [self._number(self._word, self._word)]
        while waiting:
            at = waiting.pop()
            while at and at not in self._seen and at + 2 <= len(self._data):
                if self._seen and not self._is_directory(at):
                    break  # a program that forgot to end the chain: these may be pixels
                self._seen.add(at)
                at = self._clean_directory(at, waiting)

    def _is_directory(self, at: int) -> bool:
        """Whether entries fit there, and most of them are of a kind that there is."""
        head, length = (8, 20) if self._is_big else (2, 12)
        count = self._number(at, head)
        if not 0 < count <= (len(self._data) - at - head) // length:
            return False
        starts = range(at + head + 2, at + head + count * length, length)
        known = sum(self._number(start, 2) in _SIZES | _BIG_SIZES for start in starts)
        return 2 * known > count

    def _clean_directory(self, at: int, waiting: list[int]) -> int:
        """Leave what shows the page; returns where the next directory is."""
        entries, end = self._entries(at)
        following = self._number(end, self._word)
        kept = [entry for entry in entries if entry.tag in _KEPT]
        for entry in kept:
            if entry.tag == _PAGES:
                waiting += self._pointers(entry)
        for entry in entries:
            if entry.tag not in _KEPT:
                self._erase(entry)
        count = len(kept).to_bytes(8 if self._is_big else 2, self._order)
        directory = b"".join([count, *(entry.raw for entry in kept)])
        stop = min(end + self._word, len(self._data))
        if any(entry.is_at(end) for entry in kept):  # that is no pointer, but a value
            following, stop = 0, end
        else:
            directory += following.to_bytes(self._word, self._order)
        if at + len(directory) <= stop:
            self._eraser.erase(at, stop)
            self._data[at : at + len(directory)] = directory
        return following

    def _erase(self, entry: _Entry) -> None:
        if entry.tag in _DIRECTORIES:
            for at in self._pointers(entry):
                if at not in self._seen:
                    self._seen.add(at)
                    inner, end = self._entries(at)
                    for one in inner:
                        self._erase(one)
                    self._eraser.erase(at, end + self._word)
        if not entry.is_inside:
            self._eraser.erase(entry.start, entry.start + entry.size)

    def _entries(self, at: int) -> tuple[list[_Entry], int]:
        """What a directory holds, and where its entries end."""
        first, length = at + (8 if self._is_big else 2), 12 + 2 * (self._word - 4)
        count = self._number(at, first - at)
        count = min(count, (len(self._data) - first) // length) if first < len(self._data) else 0
        self._left -= count
        if self._left < 0:
            raise ValueError("too many directory entries")
        starts = range(first, first + count * length, length)
        return [self._entry(start, length) for start in starts], first + count * length

    def _entry(self, at: int, length: int) -> _Entry:
        kind = self._number(at + 2, 2)
        width = (_SIZES | _BIG_SIZES).get(kind, 1)
        size = width * self._number(at + 4, self._word)
        place = at + 4 + self._word
        is_inside = size <= self._word
        start = place if is_inside else self._number(place, self._word)
        raw = bytes(self._data[at : at + length])
        return _Entry(self._number(at, 2), start, size, width, is_inside, raw)

    def _pointers(self, entry: _Entry) -> list[int]:
        stop = min(entry.start + min(entry.size, 8 * 4096), len(self._data))
        return [self._number(at, entry.width) for at in range(entry.start, stop, entry.width)]

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self._data[at : at + size], self._order)


def clean_tiff(data: Data) -> list[Edit]:
    """Overwrites every tag that does not show the picture, in all pages; cuts nothing.

    Raises:
        ValueError: It has more directory entries than any picture needs.
    """
    _Tiff(data).clean()
    return []
