"""A part of a picture as a picture of its own, pixel for pixel."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import UnsupportedFormatError
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.image import decode_picture, flatten
from gemma_tui.preprocessing.probe import describe_picture
from gemma_tui.preprocessing.source import decoding, open_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gemma_tui.generation import MediaInfo

_SAME_IN_PNG: Final = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
"""Modes that a PNG holds as they are; others are made what the model sees of them."""


def crop(path: Path, name: str, region: Sequence[float], target: Path) -> MediaInfo:
    """Write a part of a picture to a new PNG.

    Args:
        path: The picture.
        name: What error messages call it.
        region: Left, top, width and height in parts of the upright picture; what touches a pixel
            includes it.
        target: Must not be there yet.

    Raises:
        AttachmentError: It is not a readable picture of at most 100 megapixels.
        OSError: `target` cannot be written.
    """
    with open_file(path, name) as file:
        file_format = format_of(file, name)
        if file_format.kind != "image" or file_format.decoder == "PDF":
            message = f"“{name}” is not a picture, so no part of it can be cut out."
            raise UnsupportedFormatError(message, "Choose a picture.")
        picture = decode_picture(file, file_format, name)
    with decoding(name):
        if picture.mode not in _SAME_IN_PNG:
            picture = flatten(picture)
        left, top, width, height = region
        part = picture.crop(
            (
                *(_inside(left, picture.width), _inside(top, picture.height)),
                _end(left, width, picture.width),
                _end(top, height, picture.height),
            )
        )
        info = describe_picture(part, "image/png")
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        part.save(file, "PNG", icc_profile=None)
    return info


def _inside(start: float, size: int) -> int:
    return min(max(0, math.floor(start * size + 1e-6)), size - 1)


def _end(start: float, length: float, size: int) -> int:
    """One behind the last pixel; at least one is left."""
    return min(max(_inside(start, size) + 1, math.ceil((start + length) * size - 1e-6)), size)
