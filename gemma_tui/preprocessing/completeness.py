"""How long a sound says it is, and whether its file ends too early.

FFmpeg plays a cut-off file to its end without a word; a sentence without its last words would be
answered as if it were whole. So a file's own statement of its length is compared with the bytes
and with what was decoded. Decodes nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from gemma_tui.errors import DamagedFileError
from gemma_tui.preprocessing.mpeg_frames import estimated_seconds
from gemma_tui.preprocessing.mpeg_header import read_mpeg_header

if TYPE_CHECKING:
    import av

    from gemma_tui.preprocessing.formats import FileFormat

_PLACEHOLDER = 0x7FF0_0000
"""Programs that write WAV into a pipe claim 2 or 4 GB, as they cannot come back to fill in."""

_WAV_SLACK = 44
"""Some programs count the header as data."""

_MPEG_SLACK = 4_096
"""Encoders count their own frame or not; an mp3 frame has at most 1,441 bytes."""

_LEAD = 0.25
_ROUNDING = 0.01

_STATES_LENGTH = frozenset({"flac", "aiff", "mov", "matroska"})
"""Demuxers whose durations are read from the header; those of the others are estimated."""


def promised_seconds(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    file: BinaryIO,
    file_format: FileFormat,
) -> tuple[float, bool]:
    """The length according to the header, 0 if unknown, and whether the header is exact about it.

    Reads the file and leaves it positioned where it was.
    """
    seconds = 0.0
    # The length of a whole video is not that of its sound.
    is_own = stream.duration is not None or len(container.streams) == 1
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        seconds = container.duration / 1_000_000
    is_exact = is_own and file_format.decoder in _STATES_LENGTH
    if file_format.decoder == "mp3":
        is_exact = read_mpeg_header(file, file_format) is not None
        if not is_exact:  # FFmpeg takes the bit rate of the first frame for that of all
            seconds = estimated_seconds(file, file_format) or seconds
    return max(seconds, 0.0), is_exact


def is_too_short(seconds: float, promised: float, *, is_padded: bool) -> bool:
    """Whether what was decoded falls short of a header that is exact.

    Args:
        seconds: What was decoded.
        promised: What the header says.
        is_padded: Whether the coding puts silence in front that is not played.
    """
    return promised - seconds > (_LEAD if is_padded else _ROUNDING)


def cut_off(name: str, seconds: float) -> DamagedFileError:
    """The sentence for a sound that ends too early."""
    message = f"“{name}” is cut off: it ends after {seconds:.1f} s, before its own end."
    return DamagedFileError(message, "Copy or download it again.")


def missing_bytes(file: BinaryIO, file_format: FileFormat) -> int:
    """Bytes by which the file is shorter than its chunks or pages say; 0 where it cannot be told.

    Leaves the file positioned at its start.
    """
    size = file.seek(0, os.SEEK_END)
    match file_format.decoder:
        case "wav":
            end = _wav_end(file, size)
        case "caf":
            end = _caf_end(file, size)
        case "ogg":
            end = _last_page_end(file, size)
        case "mp3":
            header = read_mpeg_header(file, file_format)
            end = header.end - _MPEG_SLACK if header else size
        case _:
            end = size
    file.seek(0)
    return max(0, end - size)


def _wav_end(file: BinaryIO, size: int) -> int:
    """Where the data chunk should end (RIFF: id, 32-bit little-endian size, content, padding)."""
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name = file.read(4)
        length = int.from_bytes(file.read(4), "little")
        if name == b"data":
            return size if length >= _PLACEHOLDER else at + 8 + length - _WAV_SLACK
        at += 8 + length + length % 2
    return at


def _caf_end(file: BinaryIO, size: int) -> int:
    """Where the data chunk should end (CAF: id, 64-bit big-endian size, -1 for up to the end)."""
    at = 8
    while at + 12 <= size:
        file.seek(at)
        name = file.read(4)
        length = int.from_bytes(file.read(8), "big", signed=True)
        if length < 0:
            return size
        at += 12 + length
        if name == b"data":
            return at
    return at


def _last_page_end(file: BinaryIO, size: int) -> int:
    """Where the last Ogg page should end (RFC 3533, section 6: at most 65,307 bytes a page)."""
    start = max(0, size - 65_307)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return size
    header = tail[at : at + 27 + 255]
    if len(header) < 27 or len(header) < 27 + header[26]:
        return size + 1
    segments = header[26]
    return start + at + 27 + segments + sum(header[27 : 27 + segments])
