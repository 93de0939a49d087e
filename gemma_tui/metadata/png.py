"""PNG (third edition, section 5): chunks of a length, a type, content and a check sum."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from gemma_tui.metadata.edit import Edit
from gemma_tui.metadata.orientation import exif_of, orientation_of

if TYPE_CHECKING:
    from gemma_tui.metadata.edit import Data

_KEPT: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs sPLT "
    b"acTL fcTL fdAT".split()
)
"""What shows the picture; other chunks are texts, times, EXIF, or unknown."""

_MOST_TEXT: Final = 1 << 20
_XMP: Final = b"XML:com.adobe.xmp"
_RAW_EXIF: Final = (b"Raw profile type exif", b"Raw profile type APP1")


def png_edits(data: Data) -> list[Edit]:
    """Cuts out every chunk that does not show the picture, and what follows its end."""
    edits: list[Edit] = []
    exif = raw = xmp = b""
    at, place = 8, 0
    while at + 12 <= len(data):
        kind = bytes(data[at + 4 : at + 8])
        content = at + 8
        stop = content + int.from_bytes(data[at : at + 4], "big")
        end = min(stop + 4, len(data))
        match kind:
            case b"IDAT":
                place = place or at
            case b"eXIf":
                exif = exif or bytes(data[content:stop])
            case b"tEXt" | b"zTXt" | b"iTXt":
                word, text = _text(kind, bytes(data[content : min(stop, content + _MOST_TEXT)]))
                raw = raw or (_from_hex(text) if word in _RAW_EXIF else b"")
                xmp = xmp or (text if word == _XMP else b"")
        if kind not in _KEPT:
            edits.append(Edit(at, end))
        at = end
        if kind == b"IEND":
            edits.append(Edit(end, len(data)))
            break
    orientation = orientation_of(exif or raw, xmp)
    if orientation != 1 and place:
        edits.append(Edit(place, place, _chunk(b"eXIf", exif_of(orientation))))
    return edits


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + check


def _text(kind: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Keyword and text of a text chunk, as far as it can be read."""
    word, _, rest = content.partition(b"\0")
    if kind == b"tEXt":
        return word, rest
    is_packed = True
    if kind == b"iTXt":
        is_packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    else:
        rest = rest[1:]
    try:
        return word, zlib.decompressobj().decompress(rest, _MOST_TEXT) if is_packed else rest
    except zlib.error:
        return word, b""


def _from_hex(text: bytes) -> bytes:
    """ImageMagick's way to keep EXIF: a name, a length, and hex digits in lines."""
    try:
        return bytes.fromhex("".join(text.decode("latin-1").split("\n")[3:]))
    except ValueError:
        return b""
