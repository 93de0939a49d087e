"""Where the file of a video should end, by what its containers say of their own size.

FFmpeg plays a cut-off video to where it stops without a word. Decodes nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from gemma_tui.preprocessing.formats import FileFormat

_SEGMENT: bytes = b"\x18\x53\x80\x67"


def missing_video_bytes(file: BinaryIO, file_format: FileFormat) -> int:
    """Bytes by which the file is shorter than it says; 0 where it does not say.

    Leaves the file positioned at its start.
    """
    size = file.seek(0, os.SEEK_END)
    match file_format.decoder:
        case "mov":
            end = _boxes_end(file, size)
        case "avi":
            end = _chunks_end(file, size)
        case _:
            end = _segment_end(file, size)
    file.seek(0)
    return max(0, end - size)


def _boxes_end(file: BinaryIO, size: int) -> int:
    """End of the last box (ISO 14496-12, section 4.2: size, type, and a long size if it is 1)."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: up to the end of the file
            return size
        at += length
    return at


def _chunks_end(file: BinaryIO, size: int) -> int:
    """End of the last RIFF chunk; a long AVI has several (OpenDML 1.02)."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if length == 0:  # a recording that was not finished
            return size
        at += 8 + length + length % 2
    return at


def _segment_end(file: BinaryIO, size: int) -> int:
    """End of the segment of a Matroska file (RFC 8794, section 4: identifiers and sizes)."""
    file.seek(0)
    head = file.read(4096)
    at = head.find(_SEGMENT)
    if at < 0:
        return size
    field = head[at + 4 : at + 12]
    count = 9 - field[0].bit_length() if field and field[0] else 0
    value = int.from_bytes(field[:count], "big") & ((1 << 7 * count) - 1)
    if not count or value == (1 << 7 * count) - 1:  # all ones: it was not known when it was written
        return size
    return at + 4 + count + value
