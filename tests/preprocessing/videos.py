"""Videos made for tests: every frame tells its number, so that a test knows which one it got."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np

from tests.preprocessing.sounds import tone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

BITS: Final = 12
"""Of a frame's number: bars from left to right, the highest bit first."""


def numbered(number: int, width: int = 192, height: int = 96) -> NDArray[np.uint8]:
    """[height, width, 3] a frame that says its number, on a blue floor."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[height // 2 :, :, 2] = 255
    for bit in range(BITS):
        if number >> (BITS - 1 - bit) & 1:
            first, last = bit * width // BITS, (bit + 1) * width // BITS
            pixels[: height // 2, first:last] = 255
    return pixels


def number_of(pixels: NDArray[Any]) -> int:
    """What the frame says, whatever its size and the losses of its coding."""
    height, width = pixels.shape[:2]
    row = pixels[height // 4].astype(np.int64).mean(axis=1)
    middles = [(2 * bit + 1) * width // (2 * BITS) for bit in range(BITS)]
    return sum(1 << (BITS - 1 - bit) for bit, at in enumerate(middles) if row[at] > 127)


def encoded_video(
    muxer: str,
    encoder: str,
    times: Iterable[int],
    *,
    group: int = 12,
    sound_seconds: float = 0,
    options: dict[str, str] | None = None,
) -> bytes:
    """A video whose n-th frame is shown from a time on.

    Args:
        muxer: FFmpeg's name of the container.
        encoder: FFmpeg's name of the coding.
        times: Milliseconds, ascending.
        group: Frames from one key frame to the next.
        sound_seconds: Of a tone beside it; 0 for none.
        options: Of the container.
    """
    with tempfile.NamedTemporaryFile() as target:
        _write(target.name, muxer, encoder, times, group, sound_seconds, options or {})
        return Path(target.name).read_bytes()


def _write(
    target: str,
    muxer: str,
    encoder: str,
    times: Iterable[int],
    group: int,
    sound_seconds: float,
    options: dict[str, str],
) -> None:
    with av.open(target, "w", format=muxer, options=options) as container:
        stream: Any = container.add_stream(encoder, rate=1000, options={"g": str(group)})
        stream.width, stream.height = 192, 96
        stream.pix_fmt = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
        stream.gop_size = group
        heard: Any = container.add_stream("aac", rate=16_000) if sound_seconds else None
        if heard is not None:
            heard.codec_context.layout = "mono"
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered(number), "rgb24")
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if heard is not None:
            samples = tone(sound_seconds)[None].astype(np.float32)
            sound = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
            sound.sample_rate, sound.pts = 16_000, 0
            container.mux([*heard.encode(sound), *heard.encode(None)])


def turned(mp4: bytes) -> bytes:
    """The same MP4 with a display matrix of a quarter turn clockwise, as a phone held upright has.

    ISO 14496-12, section 8.3.2: the matrix stands 40 bytes behind the name of a `tkhd` box of
    version 0; its numbers have 16 bits behind the point, the last column 30.
    """
    at = mp4.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = (0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    return mp4[:at] + b"".join(n.to_bytes(4, "big", signed=True) for n in matrix) + mp4[at + 36 :]
