"""What the encoder of an mp3 wrote into its first frame: whether the bit rate varies, and its size.

The frame is marked `Xing` where the bit rate varies and `Info` where it does not (LAME's Xing VBR
header; FFmpeg's `mp3dec.c` reads the same fields).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from gemma_tui.preprocessing.formats import id3_length

if TYPE_CHECKING:
    from gemma_tui.preprocessing.formats import FileFormat

_SIDE_INFORMATION: Final = 64
"""Bytes in which the mark is looked for: side information takes at most 36 in front of it."""

_HAS_FRAMES: Final = 1
_HAS_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class MpegHeader:
    """The first frame of an mp3 whose encoder has filled it in."""

    is_constant: bool
    """Whether all frames have one bit rate, so that time follows from the place in the file."""
    end: int
    """Where the last frame ends in the file; 0 if it is not said."""


def read_mpeg_header(file: BinaryIO, file_format: FileFormat) -> MpegHeader | None:
    """The header; None for other formats and other encoders. Leaves the file where it was."""
    if file_format.decoder != "mp3":
        return None
    here = file.tell()
    file.seek(0)
    start = id3_length(file.read(10))
    file.seek(start)
    frame = file.read(_SIDE_INFORMATION + 16)
    file.seek(here)
    at = max(frame.find(mark, 0, _SIDE_INFORMATION) for mark in (b"Xing", b"Info"))
    if at < 0:
        return None
    flags, place = int.from_bytes(frame[at + 4 : at + 8], "big"), at + 8
    if flags & _HAS_FRAMES:
        place += 4
    size = int.from_bytes(frame[place : place + 4], "big") if flags & _HAS_BYTES else 0
    return MpegHeader(frame[at : at + 4] == b"Info", start + size if size else 0)
