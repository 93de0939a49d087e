"""Where a long sound is cut into clips: at its pauses, found by energy while it streams by.

Only one number for 20 ms is kept, so memory stays flat: three hours take 4 MB.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from gemma_tui.conversation import Segment
from gemma_tui.preprocessing.budget import MAX_CLIP_SAMPLES, SAMPLE_RATE
from gemma_tui.preprocessing.completeness import (
    cut_off,
    is_too_short,
    missing_bytes,
    promised_seconds,
)
from gemma_tui.preprocessing.sound_file import (
    PADDED_CODECS,
    codec_of,
    only_sound,
    open_container,
)
from gemma_tui.preprocessing.sound_stream import stream_samples
from gemma_tui.preprocessing.source import decoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from gemma_tui.preprocessing.formats import FileFormat

FRAME: Final = SAMPLE_RATE // 50
"""Samples of one level: 20 ms."""

MAX_SPLIT_SAMPLES: Final = 29 * SAMPLE_RATE
"""The longest clip of a sound that is split; the last one may take the 30 s that any clip may."""

OVERLAP_SAMPLES: Final = SAMPLE_RATE
"""What two clips share where there is no pause, so that a word is whole in one of them."""

_SHORTEST_PAUSE: Final = 10
"""Frames: 200 ms. Shorter silences are inside words (closures of stops last up to 150 ms)."""

_PREFERRED_START: Final = 15 * 50
"""Frames from the start of a clip on where a pause is looked for first: long clips give context."""

_QUIET: Final = 0.1
"""Of the level that speech reaches (its 95th percentile): 20 dB below it is a pause."""

_SILENCE: Final = 1e-4
"""Root mean square below which nothing can be heard, whatever it is compared with."""


def find_clips(
    file: BinaryIO, file_format: FileFormat, name: str
) -> tuple[int, tuple[Segment, ...]]:
    """Split a sound of any length.

    Returns:
        Its samples at 16 kHz, and its clips in order; of a sound up to 30 s there is one.

    Raises:
        AttachmentError: It is cut off, or cannot be decoded, as `stream_samples` says.
    """
    missing = missing_bytes(file, file_format)
    with decoding(name), closing(open_container(file, file_format)) as container:
        stream = only_sound(container, name)
        promised, is_exact = promised_seconds(container, stream, file, file_format)
        is_padded = codec_of(stream) in PADDED_CODECS
    levels, count = _levels(stream_samples(file, file_format, name))
    seconds = count / SAMPLE_RATE
    if missing > 0 or (is_exact and is_too_short(seconds, promised, is_padded=is_padded)):
        raise cut_off(name, seconds)
    return count, tuple(_clips(levels, count))


def loudness(file: BinaryIO, file_format: FileFormat, name: str) -> NDArray[np.float32]:
    """[frames] root mean squares of 20 ms each of a sound of any length; raises as `find_clips`."""
    return _levels(stream_samples(file, file_format, name))[0]


def _levels(blocks: Iterable[NDArray[np.float32]]) -> tuple[NDArray[np.float32], int]:
    """Root mean squares of frames of 20 ms, and the number of samples."""
    found: list[NDArray[np.float32]] = []
    rest = np.zeros(0, np.float32)
    count = 0
    for block in blocks:
        count += block.size
        rest = np.concatenate([rest, block])
        whole = rest.size // FRAME * FRAME
        frames = rest[:whole].reshape(-1, FRAME)
        found.append(np.sqrt(np.mean(frames * frames, axis=1, dtype=np.float32)))
        rest = rest[whole:]
    return np.concatenate(found) if found else rest, count


def _clips(levels: NDArray[np.float32], count: int) -> Iterator[Segment]:
    start = 0
    while count - start > MAX_CLIP_SAMPLES:
        first = start // FRAME
        pause = find_pause(levels[first : first + MAX_SPLIT_SAMPLES // FRAME])
        stop = start + (pause * FRAME if pause else MAX_SPLIT_SAMPLES)
        yield Segment("audio", start, stop - start)
        start = stop if pause else stop - OVERLAP_SAMPLES
    yield Segment("audio", start, count - start)


def find_pause(levels: NDArray[np.float32]) -> int | None:
    """The middle of the best pause to cut at: the longest one in the second half, else anywhere.

    Args:
        levels: [frames] root mean squares of what a clip may be made of.

    Returns:
        A frame, or None if there is no pause.
    """
    quiet = levels < max(_QUIET * float(np.percentile(levels, 95)), _SILENCE)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    runs = [
        (int(begin), int(end))
        for begin, end in edges.reshape(-1, 2)
        # What begins in front of the clip is the pause it was cut at.
        if end - begin >= _SHORTEST_PAUSE and begin > 0
    ]
    late = [run for run in runs if run[0] >= _PREFERRED_START]
    if not (late or runs):
        return len(levels) if quiet.all() else None
    begin, end = max(late or runs, key=lambda run: (run[1] - run[0], run[1]))
    return (begin + end) // 2
