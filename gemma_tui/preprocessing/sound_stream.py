"""Sound of any length as a stream of 16 kHz mono, from any sample on, in flat memory.

The whole file is never held: what is decoded is handed on block by block, and a clip from the
middle costs a seek and half a second of decoding before it.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from gemma_tui.errors import DamagedFileError
from gemma_tui.preprocessing.budget import MIN_CLIP_SAMPLES, SAMPLE_RATE
from gemma_tui.preprocessing.file_tail import FileTail
from gemma_tui.preprocessing.mpeg_frames import frames_of
from gemma_tui.preprocessing.resampling import Resampling
from gemma_tui.preprocessing.sound_file import (
    mono,
    only_sound,
    open_container,
    samples_of,
    within_full_scale,
)
from gemma_tui.preprocessing.source import decoding

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    import av
    from numpy.typing import NDArray

    from gemma_tui.preprocessing.formats import FileFormat

_PRE_ROLL = 0.5
"""Seconds decoded before a clip: decoders need some to settle (mp3 frames borrow bits from those
before them, Opus asks for 80 ms; RFC 7845, section 4.6)."""

_LEAD = 1_600
"""Samples at 16 kHz resampled before a clip, so that it begins as if all before it had been
resampled: the filter is a few milliseconds long."""

_BATCH = 16
"""Frames that are mixed and resampled at once: a frame of 24 ms costs its overhead in Python."""

_WHOLE = 640
"""Samples at 16 kHz: 40 ms are a whole number of samples at every common rate, 11.025 kHz too."""


def stream_samples(
    file: BinaryIO, file_format: FileFormat, name: str, start: int = 0
) -> Generator[NDArray[np.float32]]:
    """Decode a sound block by block.

    Args:
        file: A sound.
        file_format: What it is.
        name: What error messages call it.
        start: Sample at 16 kHz to begin with.

    Yields:
        [samples] float32 at 16 kHz: the mean of the channels.

    Raises:
        UnsupportedFormatError: It holds no sound.
        DamagedFileError: It cannot be decoded, or holds values that are not numbers.
    """
    file.seek(0)
    with decoding(name), closing(open_container(file, file_format)) as container:
        stream = only_sound(container, name)
        first = max(0, start - _LEAD) // _WHOLE * _WHOLE
        lead = start - first
        pieces = _sought(file, file_format, container, stream, first / SAMPLE_RATE)
        blocks = _resampled(pieces, name)
        for block in blocks:
            if lead < block.size:
                yield block[lead:]
            lead = max(0, lead - block.size)


def stream_places(
    file: BinaryIO, file_format: FileFormat, name: str, starts: Iterable[int], length: int
) -> Iterator[NDArray[np.float32]]:
    """Short pieces of a sound, the file opened once.

    Args:
        file: A sound.
        file_format: What it is.
        name: What error messages call it.
        starts: Samples at 16 kHz where they begin, in order.
        length: Samples of each at most.

    Yields:
        [samples] float32 at 16 kHz; fewer, or none, where the sound ends.

    Raises:
        DamagedFileError: It cannot be decoded.
    """
    file.seek(0)
    with decoding(name), closing(open_container(file, file_format)) as container:
        stream = only_sound(container, name)
        for start in starts:
            pieces: list[NDArray[np.float32]] = []
            found = _sought(file, file_format, container, stream, start / SAMPLE_RATE)
            with closing(found):
                for block in _resampled(found, name):
                    pieces.append(block)
                    if sum(piece.size for piece in pieces) >= length:
                        break
            yield np.concatenate(pieces)[:length] if pieces else np.zeros(0, np.float32)


def decode_range(
    file: BinaryIO, file_format: FileFormat, name: str, start: int, length: int
) -> NDArray[np.float32]:
    """One clip of a sound of any length; what is beyond full scale makes it quieter as a whole.

    Args:
        file: A sound.
        file_format: What it is.
        name: What error messages call it.
        start: Sample at 16 kHz where it begins.
        length: Its samples.

    Returns:
        [length] float32 in -1..1, filled up with silence if the last samples are missing.

    Raises:
        DamagedFileError: The file ends before the clip, or cannot be decoded.
    """
    pieces: list[NDArray[np.float32]] = []
    count = 0
    with closing(stream_samples(file, file_format, name, start)) as blocks:
        for block in blocks:
            pieces.append(block[: length - count])
            count += pieces[-1].size
            if count == length:
                break
    if count < min(length, MIN_CLIP_SAMPLES):
        raise ends_before(name, start)
    return within_full_scale(pieces, length)


def ends_before(name: str, start: int) -> DamagedFileError:
    """The sentence for a sound without a clip at sample `start`."""
    message = f"“{name}” ends before {start / SAMPLE_RATE:.1f} s, where a clip of it begins."
    return DamagedFileError(message, "Attach it again.")


def _resampled(
    pieces: Iterable[tuple[NDArray[np.float32], int]], name: str
) -> Iterator[NDArray[np.float32]]:
    resampling = Resampling(name)
    for values, rate in pieces:
        yield from resampling.add(rate, values)
    yield from resampling.finish()


def _sought(
    file: BinaryIO,
    file_format: FileFormat,
    container: av.container.InputContainer,
    stream: av.AudioStream,
    seconds: float,
) -> Generator[tuple[NDArray[np.float32], int]]:
    """Mono samples from `seconds` on, with their rate; the file stays where it was."""
    origin = float((stream.start_time or 0) * (stream.time_base or 0))
    frames = frames_of(file, file_format) if seconds > _PRE_ROLL else None
    place = None
    if frames is not None:
        ahead = seconds - _PRE_ROLL + origin
        place = frames.find(file, int(ahead * frames.rate / frames.length))
    if frames is None or place is None or place.number == 0:
        if seconds > _PRE_ROLL and stream.time_base:
            target = origin + seconds - _PRE_ROLL
            container.seek(int(target / stream.time_base), stream=stream)
        yield from _from(container, stream, seconds, origin)
        return
    # The container that is open would read everything in front of the place.
    begin, here = place.number * frames.length / frames.rate - origin, file.tell()
    tail = cast("BinaryIO", FileTail(file, place.offset))
    try:
        with closing(open_container(tail, file_format)) as rest:
            yield from _from(rest, rest.streams.audio[0], seconds - begin, 0.0)
    finally:
        file.seek(here)


def _from(
    container: av.container.InputContainer, stream: av.AudioStream, seconds: float, origin: float
) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Mono samples from `seconds` on, with their rate, of a container that is not behind them.

    Args:
        container: Wherever it was sought to.
        stream: Of it.
        seconds: Behind `origin`.
        origin: The time stamp of the first sample.
    """
    place: int | None = None
    batch: list[NDArray[Any]] = []
    for frame in container.decode(stream):
        values = samples_of(frame)
        if place is None:
            place = _first_sample(frame, origin)
            rate, kind = frame.sample_rate, (values.dtype, len(values))
        if (frame.sample_rate, (values.dtype, len(values))) != (rate, kind):
            yield from _mono_from(batch, round(seconds * rate) - place, rate)
            place += sum(piece.shape[1] for piece in batch)
            batch, rate, kind = [], frame.sample_rate, (values.dtype, len(values))
        batch.append(values)
        if len(batch) == _BATCH:
            yield from _mono_from(batch, round(seconds * rate) - place, rate)
            place += sum(piece.shape[1] for piece in batch)
            batch = []
    if place is not None:
        yield from _mono_from(batch, round(seconds * rate) - place, rate)


def _first_sample(frame: av.AudioFrame, origin: float) -> int:
    """Where a frame begins; only the first one is asked, as stamps are rounded (Matroska: to ms).

    A format without time stamps cannot be sought in: then samples are counted from the start.
    """
    if frame.pts is None or frame.time_base is None:
        return 0
    return max(0, round((float(frame.pts * frame.time_base) - origin) * frame.sample_rate))


def _mono_from(
    batch: list[NDArray[Any]], skipped: int, rate: int
) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Frames of one kind in one piece, without the samples in front of what is wanted."""
    if batch and skipped < (count := sum(piece.shape[1] for piece in batch)):
        values = mono(batch[0] if len(batch) == 1 else np.concatenate(batch, axis=1))
        assert values.size == count
        yield values[max(0, skipped) :], rate
