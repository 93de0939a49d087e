"""JPEG (ITU T.81, annex B): a chain of segments, each a marker, a length and content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gemma_tui.metadata.edit import Edit
from gemma_tui.metadata.orientation import exif_of, orientation_of

if TYPE_CHECKING:
    from gemma_tui.metadata.edit import Data

_KEPT: Final = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""Application segments that say how the pixels are to be read, by their marker."""

_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_LONE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
_END: Final = 0xD9
_SCAN: Final = 0xDA
_AFTER_SCAN: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_WINDOW: Final = 1 << 16
"""A search holds the interpreter, and with it the screen, so none is long."""


def jpeg_edits(data: Data) -> list[Edit]:
    """Cuts out what is no part of the picture, also the pictures and films behind its end."""
    edits: list[Edit] = []
    exif = xmp = b""
    at, place = 2, 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == _END:
            break
        if marker == 0xFF or marker in _LONE:
            at += 1 if marker == 0xFF else 2
            continue
        content = at + 4
        end = at + 2 + max(2, int.from_bytes(data[at + 2 : content], "big"))
        if _is_metadata(data, marker, content):
            if marker == 0xE1 and data[content : content + 5] == b"Exif\0":
                exif = exif or bytes(data[content:end])
            elif marker == 0xE1 and data[content : content + len(_XMP)] == _XMP:
                xmp = xmp or bytes(data[content:end])
            edits.append(Edit(at, min(end, len(data))))
        elif at == place == 2 and marker == 0xE0:
            place = min(end, len(data))
        at = _next_marker(data, end) if marker == _SCAN else end
    if at >= 0 and data[at : at + 2] == b"\xff\xd9":
        edits.append(Edit(at + 2, len(data)))
    orientation = orientation_of(exif, xmp)
    if orientation != 1:
        segment = b"Exif\0\0" + exif_of(orientation)
        edits.append(Edit(place, place, b"\xff\xe1" + _length(segment) + segment))
    return edits


def _is_metadata(data: Data, marker: int, content: int) -> bool:
    if marker == 0xFE:
        return True
    kept = _KEPT.get(marker)
    return marker in range(0xE0, 0xF0) and (
        kept is None or data[content : content + len(kept)] != kept
    )


def _next_marker(data: Data, at: int) -> int:
    """Where the coded pixels of a scan end: a zero follows every 0xFF among them."""
    while at < len(data):
        found = _AFTER_SCAN.search(data, at, at + _WINDOW + 1)
        if found:
            return found.start()
        at += _WINDOW
    return len(data)


def _length(segment: bytes) -> bytes:
    return (len(segment) + 2).to_bytes(2, "big")
