"""The frames of a video file, by their time: sought where that is nearer, else decoded on.

A frame is what is on the screen at a moment: the last one whose time stamp is not later, however
far apart the stamps are. Only codings that are listed here are ever decoded.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import av
import numpy as np

from gemma_tui.errors import DamagedFileError, LimitError
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.image import MAX_PIXELS
from gemma_tui.preprocessing.sound_file import open_container
from gemma_tui.preprocessing.source import decoding, open_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_CODECS: Final = frozenset(
    (
        *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg"),
        *("prores", "h263", "theora", "msmpeg4v3", "ffv1", "dnxhd"),
    )
)

_FAR_SECONDS: Final = 10.0
"""Where a file has no index, it is sought rather than decoded from this distance on."""

_ATTACHED: Final = av.stream.Disposition.attached_pic


def picture_stream(container: av.container.InputContainer) -> av.VideoStream | None:
    """The stream that is seen, if one can be decoded; the cover of a song is none."""
    for stream in container.streams.video:
        context = stream.codec_context
        codec = context.codec.canonical_name if context else ""
        if codec in _CODECS and not stream.disposition & _ATTACHED:
            return stream
    return None


def open_video(path: Path, name: str) -> VideoReader:
    """A reader of a file; the one that was used last is kept, since frames are wanted in a row.

    Raises:
        AttachmentError: It cannot be opened, or has no pictures that can be decoded.
    """
    with open_file(path, name) as file:
        status = os.fstat(file.fileno())
    return _opened(path, name, (status.st_ino, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=1)
def _opened(path: Path, name: str, _identity: tuple[int, int, int]) -> VideoReader:
    return VideoReader(path, name)


class VideoReader:
    """Decodes frames of one video, from any time on.

    Args:
        path: The file.
        name: What error messages call it.

    Raises:
        AttachmentError: As `open_video`.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._name = name
        with open_file(path, name) as file:
            file_format = format_of(file, name)
            self._file = os.fdopen(os.dup(file.fileno()), "rb")
            self._file.seek(0)  # both share one place in the file
        with decoding(name):
            self._container = open_container(self._file, file_format)
            stream = picture_stream(self._container)
        if stream is None or not stream.time_base:
            raise DamagedFileError(f"“{name}” holds no pictures that can be decoded.", _OTHERWISE)
        if stream.width * stream.height > MAX_PIXELS:
            raise LimitError(f"A frame of “{name}” has more than 100 megapixels.", _OTHERWISE)
        stream.thread_type = "AUTO"
        self._stream = stream
        self._tick = float(stream.time_base)
        self._origin = float((stream.start_time or 0) * self._tick)
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._held: av.VideoFrame | None = None
        self._held_at = 0.0
        self._next: av.VideoFrame | None = None
        self._was_sought = False
        self._restart()

    def __del__(self) -> None:
        """Give the file back."""
        with suppress(AttributeError, OSError):
            self._container.close()
            self._file.close()

    def milliseconds(self) -> int:
        """Its length: as the header says, else as the stamps of its packets say; at least 1."""
        seconds = 0.0
        if self._stream.duration:
            seconds = self._stream.duration * self._tick
        elif self._container.duration:
            seconds = self._container.duration / 1_000_000
        else:
            with decoding(self._name):
                for packet in self._container.demux(self._stream):
                    if packet.pts is not None:
                        end = (packet.pts + (packet.duration or 0)) * self._tick - self._origin
                        seconds = max(seconds, end)
                self._seek(0.0)
        return max(1, round(1000 * seconds))

    def frame_at(self, milliseconds: int) -> NDArray[np.uint8]:
        """[height, width, 3] red, green, blue: what is seen at a time, upright.

        Raises:
            DamagedFileError: Nothing can be decoded there.
        """
        target = milliseconds / 1000
        with decoding(self._name):
            if self._held is None or target < self._held_at or self._is_sought(target):
                self._seek(target)
            self._decode_to(target)
            if self._held_at > target and self._was_sought:
                self._restart()  # an index that leads too far: from the beginning, then
                self._decode_to(target)
            if self._held is None:
                raise DamagedFileError(f"“{self._name}” holds no frames.", _OTHERWISE)
            return _upright(self._held)

    def _decode_to(self, target: float) -> None:
        """Hold the last frame that is not later; the first one there is if all of them are."""
        while self._next is not None and (self._held is None or self._time(self._next) <= target):
            self._held, self._held_at = self._next, self._time(self._next)
            self._next = next(self._frames, None)

    def _time(self, frame: av.VideoFrame) -> float:
        if frame.pts is None:  # such a stream cannot be sought in either
            rate = float(self._stream.average_rate or 25)
            return 0.0 if self._held is None else self._held_at + 1 / rate
        # 69 frames of 0.04 s are not quite 2.76 s in binary
        return round(frame.pts * self._tick - self._origin, 6)

    def _is_sought(self, target: float) -> bool:
        """Whether a key frame lies between here and there."""
        ticks = int((target + self._origin) / self._tick)
        entries = self._stream.index_entries
        place = entries.search_timestamp(ticks) if len(entries) else -1
        if place < 0:
            return target - self._held_at > _FAR_SECONDS
        return entries[place].timestamp * self._tick - self._origin > self._held_at + 1e-6

    def _seek(self, target: float) -> None:
        try:
            self._container.seek(int((target + self._origin) / self._tick), stream=self._stream)
        except av.FFmpegError:  # it has no index
            self._restart()
            return
        self._begin(was_sought=target > 0)

    def _restart(self) -> None:
        with suppress(av.FFmpegError):
            self._container.seek(0)
        self._begin(was_sought=False)

    def _begin(self, *, was_sought: bool) -> None:
        self._was_sought = was_sought
        self._held, self._held_at = None, 0.0
        self._frames = self._container.decode(self._stream)
        with decoding(self._name):
            self._next = next(self._frames, None)


_OTHERWISE: Final = "Export it as MP4 (H.264) in another program."


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Pixels of a frame, turned as its display matrix says (in quarters of a turn)."""
    pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    quarters = round(frame.rotation / 90) % 4  # counter-clockwise, like those of NumPy
    return np.ascontiguousarray(np.rot90(pixels, quarters)) if quarters else pixels
