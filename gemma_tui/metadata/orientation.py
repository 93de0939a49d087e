"""Which way up a picture is: the one thing of its metadata that is kept.

EXIF 2.3, tag 0x0112, in a TIFF structure; where that is silent, XMP's `tiff:Orientation`.
"""

from __future__ import annotations

import re
from typing import Final

_TAG: Final = 0x0112
_SHORT: Final = 3
_XMP: Final = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')


def orientation_of(exif: bytes, xmp: bytes = b"") -> int:
    """2 to 8 for a picture that is to be turned; 1 for any other, also if EXIF is broken.

    Args:
        exif: With or without the `Exif` mark in front; empty if there is none.
        xmp: The packet; empty if there is none.
    """
    found = _in_tiff(exif.removeprefix(b"Exif\0\0"))
    if found is None and (match := _XMP.search(xmp)):
        found = int(match[1])
    return found if found is not None and 2 <= found <= 8 else 1


def _in_tiff(tiff: bytes) -> int | None:
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(tiff[:4])
    if order is None:
        return None

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if order == "little" else "big")

    at = number(4, 4)
    for entry in range(at + 2, min(at + 2 + 12 * number(at, 2), len(tiff) - 11), 12):
        if number(entry, 2) == _TAG and number(entry + 2, 2) == _SHORT:
            return number(entry + 8, 2)
    return None


def exif_of(orientation: int) -> bytes:
    """A TIFF structure that says nothing but the orientation; 1 says nothing at all."""
    if orientation == 1:
        return b"MM\0*\0\0\0\x08" + bytes(6)
    entry = _TAG.to_bytes(2, "big") + b"\0\x03\0\0\0\x01" + orientation.to_bytes(2, "big")
    return b"MM\0*\0\0\0\x08\0\x01" + entry + bytes(2 + 4)
