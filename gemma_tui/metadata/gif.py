"""GIF (version 89a): a header, then images and extensions made of blocks of up to 255 bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.metadata.edit import Edit

if TYPE_CHECKING:
    from gemma_tui.metadata.edit import Data

_GRAPHIC_CONTROL: Final = 0xF9
_LOOPING: Final = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0")


def gif_edits(data: Data) -> list[Edit]:
    """Cuts out comments, texts, what applications wrote (XMP), and what follows the trailer."""
    edits: list[Edit] = []
    at = 13 + _table_bytes(data[10]) if len(data) > 10 else len(data)
    while at + 1 < len(data):
        match data[at]:
            case 0x2C if at + 10 < len(data):  # an image
                at = _after_blocks(data, at + 11 + _table_bytes(data[at + 9]))
            case 0x21:  # an extension
                end = _after_blocks(data, at + 2)
                if not _shows(data, at):
                    edits.append(Edit(at, end))
                at = end
            case 0x3B:  # the trailer
                edits.append(Edit(at + 1, len(data)))
                break
            case _:
                at += 1  # as decoders do: on to the next thing they know
    return edits


def _table_bytes(flags: int) -> int:
    """Size of the colour table that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _shows(data: Data, at: int) -> bool:
    """Whether an extension is needed to show the picture or the film."""
    return data[at + 1] == _GRAPHIC_CONTROL or (
        data[at + 1] == 0xFF and bytes(data[at + 2 : at + 14]) in _LOOPING
    )


def _after_blocks(data: Data, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))
