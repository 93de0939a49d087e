"""Sound files for tests, made on the fly."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, cast

import av
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COMPRESSED = (
    # FFmpeg muxer, encoder, rate, media type
    ("flac", "flac", 44_100, "audio/flac"),
    ("mp3", "libmp3lame", 44_100, "audio/mpeg"),
    ("ipod", "aac", 44_100, "audio/mp4"),
    ("ipod", "alac", 22_050, "audio/mp4"),
    ("adts", "aac", 48_000, "audio/aac"),
    ("ogg", "libopus", 48_000, "audio/ogg"),
    ("ogg", "flac", 16_000, "audio/ogg"),
    ("webm", "libopus", 48_000, "audio/webm"),
)
PLAIN = (
    ("aiff", "pcm_s16be", 32_000, "audio/aiff"),
    ("caf", "pcm_s16be", 44_100, "audio/x-caf"),
    ("wav", "pcm_s24le", 96_000, "audio/wav"),
    ("wav", "pcm_f32le", 16_000, "audio/wav"),
    ("wav", "pcm_u8", 8_000, "audio/wav"),
)


def tone(seconds: float, rate: int = 16_000, level: float = 0.5) -> NDArray[np.float64]:
    """[samples] of a 440 Hz tone."""
    return level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


def wav(
    samples: NDArray[np.generic],
    *,
    rate: int = 16_000,
    channels: int = 1,
    claimed: int | None = None,
) -> bytes:
    """A WAV file: 16 bits from float64, or float32 as it is.

    Args:
        samples: Interleaved.
        rate: Samples a second, as written in the header.
        channels: As written in the header.
        claimed: Bytes of data according to the header, if not the true number.
    """
    code, width = (3, 4) if samples.dtype == np.float32 else (1, 2)
    data = samples.tobytes() if code == 3 else (samples * 32767).astype("<i2").tobytes()
    length = len(data) if claimed is None else claimed
    frame = channels * width
    form = struct.pack(
        "<HHIIHH", code, channels, rate, min(rate * frame, 2**32 - 1), frame, 8 * width
    )
    riff = struct.pack("<I", min(36 + length, 2**32 - 1))
    head = b"RIFF" + riff + b"WAVEfmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", length) + data


def encoded(
    samples: NDArray[np.float64],
    muxer: str,
    encoder: str,
    rate: int,
    options: dict[str, str] | None = None,
    path: Path | None = None,
) -> bytes:
    """A mono file of any kind FFmpeg can write; some `options` need a real file at `path`."""
    target = io.BytesIO()
    with av.open(path or target, "w", format=muxer, options=options or {}) as container:
        stream = cast("av.AudioStream", container.add_stream(encoder, rate=rate))
        codec = stream.codec_context
        codec.layout = "mono"
        codec.open()
        resampler = av.AudioResampler(codec.format, "mono", rate, codec.frame_size or None)
        whole = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "flt", "mono")
        whole.sample_rate, whole.pts = rate, 0
        for frame in [*resampler.resample(whole), *resampler.resample(None), None]:
            container.mux(stream.encode(frame))
    return path.read_bytes() if path else target.getvalue()
