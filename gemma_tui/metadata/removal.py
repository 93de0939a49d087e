"""Takes the metadata out of the file of a picture, whatever its format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gemma_tui.metadata.boxes import clean_boxes, clean_code_stream
from gemma_tui.metadata.gif import gif_edits
from gemma_tui.metadata.jpeg import jpeg_edits
from gemma_tui.metadata.png import png_edits
from gemma_tui.metadata.tiff import clean_tiff
from gemma_tui.metadata.webp import webp_edits

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Iterator

    from gemma_tui.metadata.edit import Data, Edit

HEAD_BYTES: Final = 64
"""As many first bytes `has_metadata_format` wants to see."""

_PIECE_BYTES: Final = 1 << 20

_FORMATS: Final[tuple[tuple[bytes, Callable[[Data], list[Edit]]], ...]] = (
    (rb"\x89PNG\r\n\x1a\n", png_edits),
    (rb"\xff\xd8\xff", jpeg_edits),
    (rb"GIF8[79]a", gif_edits),
    (rb"RIFF....WEBP", webp_edits),
    (rb"II[*+]\0|MM\0[*+]", clean_tiff),
    (rb"....ftyp(?:avi[fs]|hei[cmsx]|hev[cmsx]|m[is]f1)|\0\0\0\x0cjP  ", clean_boxes),
    (rb"\xff\x4f\xff\x51", clean_code_stream),
)
"""Those of the pictures that are read; a BMP has no place for metadata."""


def has_metadata_format(head: bytes) -> bool:
    """Whether a file that begins so is a picture that may carry metadata."""
    return any(re.match(pattern, head, re.DOTALL) for pattern, _ in _FORMATS)


def without_metadata(data: mmap.mmap | bytearray) -> Iterator[bytes]:
    """The bytes of a picture without its metadata, in pieces.

    The orientation stays, and so does the colour profile. What is left of a file that is broken
    inside is for its decoder to judge.

    Args:
        data: The whole file, writable; what cannot be cut out is overwritten in it.

    Raises:
        ValueError: It is built so that its metadata cannot be told from the rest.
    """
    head = data[:HEAD_BYTES]
    edits: list[Edit] = []
    for pattern, edits_of in _FORMATS:
        if re.match(pattern, head, re.DOTALL):
            edits = sorted(edits_of(data), key=lambda edit: edit.start)
            break
    at = 0
    for edit in edits:
        yield from _pieces(data, at, edit.start)
        yield edit.text
        at = max(at, edit.stop)
    yield from _pieces(data, at, len(data))


def _pieces(data: Data, start: int, stop: int) -> Iterator[bytes]:
    for at in range(start, stop, _PIECE_BYTES):
        yield bytes(data[at : min(at + _PIECE_BYTES, stop)])
