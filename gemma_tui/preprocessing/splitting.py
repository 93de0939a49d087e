"""Where a long sound is cut into clips: at its pauses, found by energy.

One clip at a time, when it is needed: the first clip of three hours is there as soon as that of
three minutes. Where it begins decides where it ends, so clips can be found anew from any of them.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from gemma_tui.conversation import Segment
from gemma_tui.errors import UnsupportedFormatError
from gemma_tui.preprocessing.budget import MAX_CLIP_SAMPLES, MIN_CLIP_SAMPLES, SAMPLE_RATE
from gemma_tui.preprocessing.completeness import (
    cut_off,
    is_too_short,
    missing_bytes,
    promised_seconds,
)
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.sound_file import (
    PADDED_CODECS,
    codec_of,
    only_sound,
    open_container,
)
from gemma_tui.preprocessing.sound_stream import ends_before, stream_samples
from gemma_tui.preprocessing.source import decoding, open_file
from gemma_tui.sound_clip import SoundClip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

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
"""Frames behind the start of a clip; a pause whose middle lies there is taken first, as long clips
give context."""

_QUIET: Final = 0.1
"""Of the level that speech reaches (its 95th percentile): 20 dB below it is a pause."""

_AUDIBLE: Final = 0.01
"""Of the level that speech reaches: 40 dB below it nobody speaks."""

_MARGIN: Final = SAMPLE_RATE // 4
"""Samples of silence that are kept around what is heard: consonants begin and end softly."""

_SILENCE: Final = 1e-4
"""Root mean square below which nothing can be heard, whatever it is compared with."""


def next_clip(path: Path, name: str, start: int, stop: int) -> SoundClip:
    """As `find_clip`, of a file that is not open yet; raises also as `open_file`."""
    with open_file(path, name) as file:
        file_format = format_of(file, name)
        if file_format.kind != "audio":
            raise UnsupportedFormatError(f"“{name}” is no sound.", "Choose a sound file.")
        return find_clip(file, file_format, name, start, stop)


def find_clip(
    file: BinaryIO, file_format: FileFormat, name: str, start: int = 0, stop: int = 0
) -> SoundClip:
    """The clip that begins at `start`; decodes little more than 30 s, wherever that is.

    Args:
        file: A sound of any length.
        file_format: What it is.
        name: What error messages call it.
        start: Sample at 16 kHz.
        stop: Where what is asked for ends; 0: at the end of the file.

    Raises:
        DamagedFileError: It ends before `start`, is cut off, or cannot be decoded.
        UnsupportedFormatError: It holds no sound.
    """
    most = min(stop - start, MAX_CLIP_SAMPLES + 1) if stop else MAX_CLIP_SAMPLES + 1
    with closing(stream_samples(file, file_format, name, start)) as blocks:
        levels, count = _levels(_first(blocks, most))
    if count < most:
        _check_complete(file, file_format, name, start + count)
    if count < MIN_CLIP_SAMPLES:
        raise ends_before(name, start)
    if count <= MAX_CLIP_SAMPLES:
        return SoundClip(start, count, 0, *_heard(levels, start, count))
    pause = find_pause(levels[: MAX_SPLIT_SAMPLES // FRAME])
    length = pause * FRAME if pause else MAX_SPLIT_SAMPLES
    next_start = start + length - (0 if pause else OVERLAP_SAMPLES)
    return SoundClip(start, length, next_start, *_heard(levels, start, length))


def find_clips(
    file: BinaryIO, file_format: FileFormat, name: str
) -> tuple[int, tuple[Segment, ...]]:
    """Split a sound of any length, all of it.

    Returns:
        Its samples at 16 kHz, and its clips in order; of a sound up to 30 s there is one.

    Raises:
        AttachmentError: As `find_clip`.
    """
    clips = [find_clip(file, file_format, name)]
    while not clips[-1].is_last:
        clips.append(find_clip(file, file_format, name, clips[-1].next_start))
    return clips[-1].stop, tuple(Segment("audio", clip.start, clip.length) for clip in clips)


def _first(blocks: Iterable[NDArray[np.float32]], most: int) -> Iterator[NDArray[np.float32]]:
    """So many samples, or as many as there are."""
    for block in blocks:
        yield block[:most]
        most -= block.size
        if most <= 0:
            return


def _check_complete(file: BinaryIO, file_format: FileFormat, name: str, end: int) -> None:
    """Raise a `DamagedFileError` if a sound that ends at sample `end` should be longer."""
    missing = missing_bytes(file, file_format)
    with decoding(name), closing(open_container(file, file_format)) as container:
        stream = only_sound(container, name)
        promised, is_exact = promised_seconds(container, stream, file, file_format)
        is_padded = codec_of(stream) in PADDED_CODECS
    seconds = end / SAMPLE_RATE
    if missing > 0 or (is_exact and is_too_short(seconds, promised, is_padded=is_padded)):
        raise cut_off(name, seconds)


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


def _heard(levels: NDArray[np.float32], start: int, length: int) -> tuple[int, int]:
    """Between which samples a clip is not silent; zeros if it is.

    A model that listens to long silence at either end makes up words for it.
    """
    levels = levels[: -(-length // FRAME)]
    if not levels.size:
        return start, start + length  # too short to have a level
    loudest = float(np.percentile(levels, 95))
    frames = np.flatnonzero(levels > max(_AUDIBLE * loudest, _SILENCE))
    if not frames.size:
        return 0, 0
    begin, end = int(frames[0]) * FRAME - _MARGIN, int(frames[-1] + 1) * FRAME + _MARGIN
    return start + max(0, begin), start + min(length, end)


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
    late = [run for run in runs if sum(run) >= 2 * _PREFERRED_START]
    if not (late or runs):
        return len(levels) if quiet.all() else None
    begin, end = max(late or runs, key=lambda run: (run[1] - run[0], run[1]))
    return (begin + end) // 2
