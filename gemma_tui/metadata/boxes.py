"""HEIC and AVIF (ISO 23008-12 in ISO 14496-12), and JPEG 2000 (ISO 15444-1): boxes inside boxes.

Offsets count from the start of the file, so nothing is cut out: what is no picture is overwritten
with zeros, and unknown boxes become free space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.metadata.edit import Eraser
from gemma_tui.metadata.orientation import exif_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.metadata.edit import Data, Edit

_OUTER: Final = frozenset(
    (b"ftyp", b"meta", b"mdat", b"moov", b"free", b"jP  ", b"rreq", b"jp2h", b"jp2c")
)
_CONTAINERS: Final = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl"))
_PICTURES: Final = frozenset(
    (b"hvc1", b"hev1", b"av01", b"grid", b"iovl", b"iden", b"tmap", b"jpeg", b"j2k1", b"mski")
)
"""Types of items that are, or make, a picture."""
_NO_TEXT: Final = frozenset((b"udta", b"uuid", b"meta"))
_MOST_BOXES: Final = 100_000
_EMPTY_EXIF: Final = bytes(4) + exif_of(1)
"""The offset of the TIFF structure, and one that says nothing; the way up is a property."""


def clean_boxes(data: Data) -> list[Edit]:
    """Overwrites EXIF, XMP and whatever else is no picture; cuts nothing.

    Raises:
        ValueError: It has more boxes than any picture needs.
    """
    eraser = Eraser(data)
    for name, at, content, end in _boxes(data, 0, len(data)):
        if name == b"meta":
            _clean_items(data, eraser, content + 4, end)
        elif name == b"jp2c":
            _clean_header(data, eraser, content)
        elif name == b"moov":
            _clean_film(data, eraser, content, end)
        if name not in _OUTER:
            data[at + 4 : at + 8] = b"free"
        if name not in _OUTER or name == b"free":
            eraser.erase(content, end)
    return []


def clean_code_stream(data: Data) -> list[Edit]:
    """Overwrites the comments of a JPEG 2000 code stream that is in no box; cuts nothing."""
    _clean_header(data, Eraser(data), 0)
    return []


def _boxes(data: Data, start: int, stop: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Name, start, start of the content, and end of each box."""
    at = start
    for _ in range(_MOST_BOXES):
        if at + 8 > stop:
            return
        size, content = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, content = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        end = min(at + size, stop) if size else stop
        yield bytes(data[at + 4 : at + 8]), at, min(content, end), end
        at = max(end, content)
    raise ValueError("too many boxes")


def _clean_film(data: Data, eraser: Eraser, start: int, stop: int, depth: int = 0) -> None:
    for name, at, content, end in _boxes(data, start, stop):
        if name in _CONTAINERS and depth < 8:
            _clean_film(data, eraser, content, end, depth + 1)
        elif name in _NO_TEXT:
            data[at + 4 : at + 8] = b"free"
            eraser.erase(content, end)


def _clean_items(data: Data, eraser: Eraser, start: int, stop: int) -> None:
    inner = {name: (content, end) for name, _, content, end in _boxes(data, start, stop)}
    if b"iinf" not in inner or b"iloc" not in inner:
        return
    extents = 0
    kinds = dict(_item_kinds(data, *inner[b"iinf"]))
    store = inner.get(b"idat", (0, 0))[0]
    for item, is_stored_inside, offset, length in _places(data, *inner[b"iloc"]):
        extents += 1
        if extents > _MOST_BOXES:
            raise ValueError("too many extents")
        kind = kinds.get(item)
        if kind is None or kind in _PICTURES:
            continue
        at = offset + (store if is_stored_inside else 0)
        eraser.erase(at, at + length)
        if kind == b"Exif" and len(_EMPTY_EXIF) <= length and at + length <= len(data):
            data[at : at + len(_EMPTY_EXIF)] = _EMPTY_EXIF
    for name, at, content, end in _boxes(data, start, stop):
        if name in {b"uuid", b"xml ", b"bxml", b"udta"}:
            data[at + 4 : at + 8] = b"free"
            eraser.erase(content, end)


def _item_kinds(data: Data, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Number and type of each item (`infe`, versions 2 and 3)."""
    first = start + (6 if data[start : start + 1] == b"\0" else 8)
    for name, _, content, end in _boxes(data, first, stop):
        if name == b"infe" and content + 12 <= end and data[content] >= 2:
            wide = 4 if data[content] >= 3 else 2
            number = int.from_bytes(data[content + 4 : content + 4 + wide], "big")
            kind_at = content + 4 + wide + 2
            yield number, bytes(data[kind_at : kind_at + 4])


def _places(data: Data, start: int, stop: int) -> Iterator[tuple[int, bool, int, int]]:
    """Number, whether in the box `idat`, offset and length, of each extent (`iloc`)."""
    at = start

    def number(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at], "big") if at <= stop else 0

    version = number(1)
    at += 3
    sizes, more = number(1), number(1)
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    for _ in range(number(2 if version < 2 else 4)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version else 0
        at += 2
        base = number(base_size)
        for _ in range(number(2)):
            at += index_size
            offset, length = number(offset_size), number(length_size)
            yield item, method == 1, base + offset, length
        if at > stop:
            return


def _clean_header(data: Data, eraser: Eraser, start: int) -> None:
    """Overwrite the comments (0xFF64) of the main header, which ends at the first tile (0xFF90)."""
    at = start + 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0x90:
        length = max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        if data[at + 1] == 0x64:
            eraser.erase(at + 4, at + 2 + length)
        at += 2 + length
