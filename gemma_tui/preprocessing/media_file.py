"""A medium of a prompt as a file that other programs read: PNG, JPEG or WAV, at the model's size.

For models that run elsewhere: they get what a model here would see and hear, and no more.
"""

from __future__ import annotations

import io
import os
import wave
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from gemma_tui.generation import MediaInfo
from gemma_tui.preprocessing.audio import read_clip
from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.preprocessing.picture_part import picture_pixels

if TYPE_CHECKING:
    from pathlib import Path

MAX_PNG_BYTES: Final = 512 * 1024
"""Of a picture that is sent without loss; a larger one is a photograph, and sent as JPEG."""

JPEG_QUALITY: Final = 95
"""Without subsampling of colours: what is seen is as good as the same."""

_FULL_SCALE: Final = 32767


def write_picture(path: Path, name: str, budget: int, start: int, target: Path) -> MediaInfo:
    """Write one picture of a file at the size that its budget allows.

    Args:
        path: The file.
        name: What error messages call it.
        budget: The most soft tokens it may cost.
        start: Which picture of the file, as of `Segment.start`.
        target: Must not be there yet.

    Raises:
        AttachmentError: There is no such picture, or it cannot be read.
        BudgetError: `budget` is not one of the budgets.
        OSError: `target` cannot be written.
    """
    picture = Image.fromarray(picture_pixels(path, name, budget, start))
    data, media_type = _saved(picture, "PNG"), "image/png"
    if len(data) > MAX_PNG_BYTES:
        data = _saved(picture, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        media_type = "image/jpeg"
    _write(target, data)
    return MediaInfo("image", media_type, width=picture.width, height=picture.height)


def write_clip(path: Path, name: str, start: int, length: int, target: Path) -> MediaInfo:
    """Write a clip as WAV: 16 kHz, mono, 16 bits.

    Args:
        path: The file.
        name: What error messages call it.
        start: Sample at 16 kHz where the clip begins.
        length: Its samples at 16 kHz; 0: the clip is the whole file.
        target: Must not be there yet.

    Raises:
        AttachmentError: It is not a readable sound between 20 ms and 30 s.
        OSError: `target` cannot be written.
    """
    clip = read_clip(path, name, start, length)
    samples = np.rint(np.clip(clip, -1.0, 1.0) * _FULL_SCALE).astype("<i2")
    data = io.BytesIO()
    with wave.open(data, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(SAMPLE_RATE)
        written.writeframes(samples.tobytes())
    _write(target, data.getvalue())
    return MediaInfo("audio", "audio/wav", sample_count=int(samples.size))


def _saved(picture: Image.Image, kind: str, **options: int) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def _write(target: Path, data: bytes) -> None:
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
