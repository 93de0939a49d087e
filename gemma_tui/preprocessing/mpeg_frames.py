"""Where the frames of an mp3 of varying bit rate lie: a late clip is found without decoding.

FFmpeg reads such a file from its beginning to find a place in it. Here only the headers are read
(ISO 11172-3, section 2.4.1.3; 13818-3 for half and a quarter of the rates): every frame lasts as
long as any other, so the number of a frame is its time, exactly.
"""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from gemma_tui.preprocessing.formats import id3_length
from gemma_tui.preprocessing.mpeg_header import read_mpeg_header

if TYPE_CHECKING:
    from gemma_tui.preprocessing.formats import FileFormat

_RATES: Final = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
"""Samples a second by the version's bits: MPEG-1, MPEG-2, MPEG-2.5."""

_KBITS: Final = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
"""Thousands of bits a second of layer III; MPEG-2.5 has those of MPEG-2. 0 is not written down."""

_LAYER_3: Final = 1

_STEP: Final = 128
"""Frames between two places that are remembered: a few seconds."""

_CHUNK_BYTES: Final = 1 << 20

_SAMPLES: Final = 48
"""Places that are looked at to estimate how long a file is."""

_WINDOW_BYTES: Final = 32_768
_CHAIN: Final = 4
"""So many headers in a row, each where the one before it says, are no accident."""


class FramePlace(NamedTuple):
    """A frame."""

    offset: int
    """Its first byte in the file."""
    number: int
    """Counted from the first frame that is heard."""


class MpegFrames:
    """The places of frames, found as far as they were needed.

    Args:
        start: The first frame of the file.
        header: Of that frame, four bytes.
        found: Where frames are known to be, `_STEP` apart; more are added.
        size: Bytes of the file.
        is_silent: Whether the first frame holds what the encoder wrote down, and is not heard.
    """

    def __init__(
        self, start: int, header: bytes, found: list[int], *, size: int, is_silent: bool
    ) -> None:
        version = header[1] >> 3 & 3
        self.rate = _RATES[version][header[2] >> 2 & 3]
        """Samples a second."""
        self.length = 1_152 if version == 3 else 576
        """Samples of a frame."""
        self._kind = header[1] | 1  # the last bit says whether there is a checksum
        self._sizes = _frame_sizes(version, self.rate)
        self.size = size
        """Bytes of the file."""
        self._starts = found
        if not self._starts:
            self._starts.append(start + self._sizes[header[2]] * is_silent)
        self._is_over = False

    def find(self, file: BinaryIO, number: int) -> FramePlace | None:
        """A frame by its number, or one a little before it; None if it cannot be told.

        Leaves the file where it was.
        """
        wanted, here = number // _STEP, file.tell()
        while len(self._starts) <= wanted and not self._is_over:
            self._read_on(file, wanted)
        file.seek(here)
        if wanted >= len(self._starts):
            return None
        return FramePlace(self._starts[wanted], wanted * _STEP)

    def density(self, file: BinaryIO) -> float:
        """Frames in a byte, by some places all over the file; 0 if there are none."""
        first, count, size = self._starts[0], 0, 0
        for place in range(_SAMPLES):
            file.seek(first + (self.size - first) * place // _SAMPLES)
            frames, taken = self._chain(file.read(_WINDOW_BYTES))
            count, size = count + frames, size + taken
        return count / size if size else 0.0

    def _read_on(self, file: BinaryIO, wanted: int) -> None:
        """Follow the headers through one chunk of the file."""
        at, kind, sizes = self._starts[-1], self._kind, self._sizes
        file.seek(at)
        chunk = file.read(_CHUNK_BYTES)
        place, last = 0, len(chunk) - 3
        known = len(self._starts)
        while len(self._starts) <= wanted:
            for _ in range(_STEP):
                if place >= last:
                    break
                size = sizes[chunk[place + 2]]
                if chunk[place] != 0xFF or chunk[place + 1] | 1 != kind or not size:
                    self._is_over = True
                    return
                place += size
            else:
                self._starts.append(at + place)
                continue
            break
        # A chunk holds more than one step: without a new place there is nothing behind it.
        self._is_over = len(self._starts) == known

    def _chain(self, chunk: bytes) -> tuple[int, int]:
        """How many frames follow each other in a piece of the file, and their bytes."""
        start = chunk.find(0xFF)
        while start >= 0:
            count, place = 0, start
            while place + 3 <= len(chunk) and chunk[place] == 0xFF:
                size = self._sizes[chunk[place + 2]]
                if chunk[place + 1] | 1 != self._kind or not size:
                    break
                count, place = count + 1, place + size
            if count >= _CHAIN:
                return count, place - start
            start = chunk.find(0xFF, start + 1)
        return 0, 0


def frames_of(file: BinaryIO, file_format: FileFormat) -> MpegFrames | None:
    """The frames of an mp3 in which FFmpeg cannot seek; None for any other file.

    Leaves the file where it was. What was found in the files that were used last is remembered.
    """
    if file_format.decoder != "mp3":
        return None
    try:
        status = os.fstat(file.fileno())
    except OSError:  # in memory: FFmpeg is quick there
        return None
    written = read_mpeg_header(file, file_format)
    if written is not None and written.is_constant:
        return None
    here = file.tell()
    file.seek(0)
    start = id3_length(file.read(10))
    file.seek(start)
    header = file.read(4)
    file.seek(here)
    if not _is_header(header):
        return None
    identity = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
    found = _places_found(identity)
    return MpegFrames(start, header, found, size=status.st_size, is_silent=written is not None)


def estimated_seconds(file: BinaryIO, file_format: FileFormat) -> float:
    """How long an mp3 without a header of its encoder is likely to be; 0 if that is no guess.

    Leaves the file where it was.
    """
    here = file.tell()
    try:
        frames = frames_of(file, file_format)
        if frames is None:
            return 0.0
        count = frames.density(file) * frames.size
        return count * frames.length / frames.rate
    finally:
        file.seek(here)


@lru_cache(maxsize=4)
def _places_found(_identity: tuple[int, ...]) -> list[int]:
    """Where frames were found in a file so far; clips are wanted in a row."""
    return []


def _is_header(header: bytes) -> bool:
    if len(header) < 4 or header[0] != 0xFF or header[1] < 0xE0:
        return False
    version = header[1] >> 3 & 3
    is_known = version in _RATES and header[1] >> 1 & 3 == _LAYER_3 and header[2] >> 2 & 3 != 3
    return is_known and header[2] >> 4 not in {0, 15}


def _frame_sizes(version: int, rate: int) -> list[int]:
    """Bytes of a frame by the third byte of its header; 0 where that is of no such frame."""
    kbits, factor = _KBITS[3 if version == 3 else 2], 144 if version == 3 else 72
    sizes = [0] * 256
    code = _RATES[version].index(rate)
    for index, padding, private in product(range(16), (0, 1), (0, 1)):
        if kbits[index]:
            byte = index << 4 | code << 2 | padding << 1 | private
            sizes[byte] = factor * 1_000 * kbits[index] // rate + padding
    return sizes
