"""A sound file opened by FFmpeg: which of its streams is heard, and its samples as numbers.

Only codings that are listed here are ever decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import av
import numpy as np

from gemma_tui.errors import UnsupportedFormatError
from gemma_tui.preprocessing.mpeg_header import read_mpeg_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gemma_tui.preprocessing.formats import FileFormat

PADDED_CODECS = frozenset({"aac", "mp2", "mp3", "opus", "vorbis"})
"""Lossy encoders put silence in front (up to 0.2 s) and fill their last frame (up to 0.1 s)."""

_CODECS = PADDED_CODECS | {"flac", "alac", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt"}
"""What may be decoded, besides PCM of every kind."""


def open_container(file: BinaryIO, file_format: FileFormat) -> av.container.InputContainer:
    """The container of a file, read by the one demuxer of its format."""
    header = read_mpeg_header(file, file_format)
    # Without being told, FFmpeg reads an mp3 from its beginning to find a place in it.
    options = {"fflags": "+fastseek"} if header and header.is_constant else {}
    return av.open(
        file, mode="r", format=file_format.decoder, options=options, metadata_errors="ignore"
    )


def only_sound(container: av.container.InputContainer, name: str) -> av.AudioStream:
    """The stream that is heard, also of a video; raises an `UnsupportedFormatError` without one."""
    for stream in container.streams.audio:
        codec = codec_of(stream)
        if codec in _CODECS or codec.startswith("pcm_"):
            return stream
    attached = av.stream.Disposition.attached_pic  # the cover of a song is a video stream, too
    if any(not s.disposition & attached for s in container.streams.video):
        message = f"“{name}” is a video without a sound that this program can decode."
        raise UnsupportedFormatError(message, "Save a frame of it as a picture first.")
    hint = "Export it as WAV, FLAC, MP3, Ogg or M4A."
    raise UnsupportedFormatError(f"“{name}” holds no sound this program can decode.", hint)


def codec_of(stream: av.AudioStream) -> str:
    """The coding's own name, whichever decoder FFmpeg chose for it; empty if it has none."""
    return stream.codec_context.codec.canonical_name if stream.codec_context else ""


def samples_of(frame: av.AudioFrame) -> NDArray[Any]:
    """[channels, samples], as they are stored."""
    values: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    return values


def mono(values: NDArray[Any]) -> NDArray[np.float32]:
    """[samples] float32, full scale = 1: the mean of [channels, samples], whatever their layout."""
    with np.errstate(all="ignore"):  # values that overflow are found by the caller
        scaled: NDArray[np.float32] = values.astype(np.float32)
        match values.dtype.kind:
            case "u":
                scaled = scaled / np.float32(128) - np.float32(1)
            case "i":
                scaled /= np.float32(2 ** (8 * values.itemsize - 1))
        mono: NDArray[np.float32] = scaled[0] if len(scaled) == 1 else scaled.mean(axis=0)
    return mono


def within_full_scale(pieces: Sequence[NDArray[np.float32]], length: int) -> NDArray[np.float32]:
    """[length] float32 in -1..1: quieter as a whole if need be, and filled up with silence."""
    clip = np.zeros(length, np.float32)
    filled = 0
    for piece in pieces:
        part = piece[: length - filled]
        clip[filled : filled + part.size] = part
        filled += part.size
    peak = max(float(clip.max(initial=0.0)), -float(clip.min(initial=0.0)))
    return clip / np.float32(peak) if peak > 1 else clip
