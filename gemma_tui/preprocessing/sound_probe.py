"""What a sound is, without listening to all of it where it is long.

Up to 30 s it is decoded, completely. What says that it is longer is believed after a look at its
beginning and its end: three hours take as long as one minute.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, Final

from gemma_tui.errors import DamagedFileError, LongSoundError
from gemma_tui.generation import MediaInfo
from gemma_tui.preprocessing.audio import decode_clip
from gemma_tui.preprocessing.budget import MAX_CLIP_SAMPLES, SAMPLE_RATE
from gemma_tui.preprocessing.completeness import missing_bytes, promised_seconds
from gemma_tui.preprocessing.mpeg_header import read_mpeg_header
from gemma_tui.preprocessing.sound_file import only_sound, open_container
from gemma_tui.preprocessing.sound_stream import stream_samples
from gemma_tui.preprocessing.source import decoding
from gemma_tui.preprocessing.splitting import find_clips

if TYPE_CHECKING:
    from gemma_tui.preprocessing.formats import FileFormat

_SURELY_LONG: Final = MAX_CLIP_SAMPLES / SAMPLE_RATE + 1
"""Seconds from which on a header is believed; below, lossy codings count their filling."""

_END: Final = 0.5
"""Seconds before the end at which something must be left to hear."""


def describe_sound(file: BinaryIO, file_format: FileFormat, name: str) -> MediaInfo:
    """What is to be known of a sound.

    Raises:
        UnsupportedFormatError: It is a video without sound, or holds none.
        DamagedFileError: It is cut off or broken.
        LimitError: It is too short.
    """
    with decoding(name), closing(open_container(file, file_format)) as container:
        stream = only_sound(container, name)
        seconds, is_exact = promised_seconds(container, stream, file, file_format)
    file.seek(0)
    if seconds > _SURELY_LONG and _is_whole(file, file_format, name, seconds if is_exact else 0):
        count = round(seconds * SAMPLE_RATE)
    else:
        count = _count(file, file_format, name)
    return MediaInfo(kind="audio", media_type=file_format.media_type, sample_count=count)


def _count(file: BinaryIO, file_format: FileFormat, name: str) -> int:
    """The samples at 16 kHz, all of them heard."""
    try:
        return int(decode_clip(file, file_format, name).size)
    except LongSoundError:
        return find_clips(file, file_format, name)[0]


def _is_whole(file: BinaryIO, file_format: FileFormat, name: str, seconds: float) -> bool:
    """Whether it begins, and ends no earlier than after `seconds`, as far as that is soon told."""
    if missing_bytes(file, file_format):
        return False
    if not _is_heard(file, file_format, name, 0.0):
        return False
    header = read_mpeg_header(file, file_format)
    is_slow = file_format.decoder == "mp3" and not (header and header.is_constant)
    return is_slow or seconds == 0 or _is_heard(file, file_format, name, seconds - _END)


def _is_heard(file: BinaryIO, file_format: FileFormat, name: str, seconds: float) -> bool:
    start = round(seconds * SAMPLE_RATE)
    try:
        with closing(stream_samples(file, file_format, name, start)) as blocks:
            return next(blocks, None) is not None
    except DamagedFileError:
        return False
