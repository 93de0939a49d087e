"""A picture and a clip to be encoded, different ones each time, so that nothing is remembered.

Noise, written with the standard library: the app's process has no codecs.
"""

from __future__ import annotations

import hashlib
import random
import struct
import wave
import zlib
from typing import TYPE_CHECKING, Final

from gemma_tui.generation import Media
from gemma_tui.preprocessing.budget import DEFAULT_TOKEN_BUDGET, SAMPLE_RATE

if TYPE_CHECKING:
    from pathlib import Path

PICTURE_SIDE: Final = 768
"""Pixels: 256 soft tokens of the default budget of 280."""

CLIP_SECONDS: Final = 10


def write_picture(folder: Path) -> Media:
    """A PNG of noise."""
    side, noise = PICTURE_SIDE, random.Random()  # noqa: S311  # noise, no secret
    rows = b"".join(b"\0" + noise.randbytes(3 * side) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    path = folder / "picture.png"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Media("image", digest, str(path), path.name, DEFAULT_TOKEN_BUDGET, side, side)


def write_clip(folder: Path) -> Media:
    """A WAV file of quiet noise."""
    count, noise = CLIP_SECONDS * SAMPLE_RATE, random.Random()  # noqa: S311  # as above
    path = folder / "clip.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(
            struct.pack(f"<{count}h", *(noise.randint(-999, 999) for _ in range(count)))
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Media("audio", digest, str(path), path.name, sample_count=count)
