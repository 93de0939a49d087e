"""WebP (RFC 9649, section 2): RIFF chunks of a name, a size, content and padding to even."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.metadata.edit import Edit, Eraser
from gemma_tui.metadata.orientation import exif_of, orientation_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.metadata.edit import Data

_FRAME: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_KEPT: Final = _FRAME | {b"VP8X", b"ANIM", b"ANMF", b"ICCP"}
_HAS_EXIF: Final = 0x08
_HAS_XMP: Final = 0x04


def webp_edits(data: Data) -> list[Edit]:
    """Cuts out EXIF, XMP and unknown chunks, and corrects what the header says of them."""
    eraser, edits = Eraser(data), []
    exif = xmp = b""
    claimed = 8 + int.from_bytes(data[4:8], "little")
    last, flags_at = min(claimed, len(data)), 0
    for name, at, stop, end in _chunks(data, 12, last):
        match name:
            case b"VP8X":
                flags_at = flags_at or at + 8
            case b"EXIF":
                exif = exif or bytes(data[at + 8 : stop])
            case b"XMP ":
                xmp = xmp or bytes(data[at + 8 : stop])
            case b"ANMF":
                _clean_frame(data, eraser, at + 24, stop)
        if name not in _KEPT:
            edits.append(Edit(at, end))
    removed = sum(edit.stop - edit.start for edit in edits)
    added = b""
    orientation = orientation_of(exif, xmp)
    if flags_at:
        data[flags_at] &= ~(_HAS_EXIF | _HAS_XMP) & 0xFF
        if orientation != 1:
            data[flags_at] |= _HAS_EXIF
            added = b"EXIF" + len(exif_of(orientation)).to_bytes(4, "little")
            added += exif_of(orientation)
    size = max(4, claimed - 8 - removed + len(added))
    edits.append(Edit(4, 8, min(size, 0xFFFF_FFFF).to_bytes(4, "little")))
    edits.append(Edit(last, len(data), added))
    return edits


def _clean_frame(data: Data, eraser: Eraser, start: int, stop: int) -> None:
    for name, at, end, _ in _chunks(data, start, stop):
        if name not in _FRAME:
            eraser.erase(at + 8, end)


def _chunks(data: Data, at: int, last: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Name, start, end of the content, and end with padding, of each chunk."""
    while at + 8 <= last:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = min(at + 8 + size, last)
        end = min(stop + size % 2, last)
        yield bytes(data[at : at + 4]), at, stop, end
        at = end
