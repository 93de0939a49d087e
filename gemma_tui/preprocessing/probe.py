"""What a file really is: decodes it once, completely, before it may be attached.

A cut-off photograph or recording looks whole until its last byte is asked for, and it is better to
hear about it when it is dropped than when it is sent. Pictures have at most 100 megapixels. Of a
sound of more than 30 s only beginning and end are heard, see `sound_probe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.generation import MediaInfo
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.image import decode_picture, opaque
from gemma_tui.preprocessing.sound_probe import describe_sound
from gemma_tui.preprocessing.source import decoding, open_file
from gemma_tui.preprocessing.suggestion import suggest_budget
from gemma_tui.preprocessing.video import describe_video, is_video_file
from gemma_tui.text_file import MAX_TEXT_BYTES, decode_text

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image


def probe(path: Path, name: str) -> MediaInfo:
    """Look into a file, whatever it is called.

    Args:
        path: Where it is.
        name: What error messages call it; the caller makes it fit to be shown.

    Raises:
        NotAFileError: It is missing, unreadable, a folder or a device.
        UnsupportedFormatError: It is not a picture, a sound or a text this program reads.
        DamagedFileError: It is empty, cut off or broken.
        LimitError: It is too large, too long or too short.
    """
    with open_file(path, name) as file:
        file_format = format_of(file, name)
        if file_format.decoder == "PDF":
            from gemma_tui.preprocessing.pdf import describe_document  # noqa: PLC0415  # rare

            return describe_document(file, name)
        if file_format.kind == "image":
            picture = decode_picture(file, file_format, name)
            with decoding(name):
                return describe_picture(picture, file_format.media_type)
        if file_format.kind == "text":
            decode_text(file.read(MAX_TEXT_BYTES + 1), name)
            return MediaInfo(kind="text", media_type=file_format.media_type)
        if is_video_file(file, file_format, name):
            return describe_video(path, file, file_format, name)
        return describe_sound(file, file_format, name)


def describe_picture(picture: Image, media_type: str) -> MediaInfo:
    """What is to be known of a decoded, upright picture."""
    budget, reason = suggest_budget(opaque(picture))
    return MediaInfo(
        kind="image",
        media_type=media_type,
        width=picture.width,
        height=picture.height,
        suggested_budget=budget,
        suggestion=reason,
    )
