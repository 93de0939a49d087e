"""What a file is, told from its first bytes: an allow-list, whatever the file is called.

Only what is listed here ever reaches a decoder, and only the one decoder named: nothing is guessed
by trying, so a playlist or a script cannot be opened as a sound. Decodes nothing itself.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from gemma_tui.errors import UnsupportedFormatError
from gemma_tui.text_file import encoding_of

if TYPE_CHECKING:
    from gemma_tui.conversation import AttachmentKind

_HEAD_BYTES = 512

VIDEO_DECODERS = frozenset({"mov", "matroska", "avi"})
"""Those of files that may hold pictures as well as sound; their kind is said to be sound here."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format this program reads."""

    kind: AttachmentKind
    media_type: str
    decoder: str
    """Name of the Pillow plugin, of the FFmpeg demuxer, or of the text's encoding."""


def format_of(file: BinaryIO, name: str) -> FileFormat:
    """Find out what an open file is; leaves it positioned at its start.

    Raises:
        UnsupportedFormatError: It is not a picture, a sound or a text this program reads.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    tag = id3_length(head)
    if tag:
        file.seek(tag)
        found = _match(file.read(_HEAD_BYTES), _AFTER_ID3) or _MP3
    else:
        found = _match(head, _SIGNATURES) or _text_or_unknown(head)
    file.seek(0)
    if isinstance(found, _Foreign):
        raise UnsupportedFormatError(f"“{name}” is {found.what}.", found.hint)
    return found


def id3_length(head: bytes) -> int:
    """Bytes of the ID3v2 tag before an mp3, aac or flac; 0 without one (ID3v2.4, section 3.1)."""
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    a, b, c, d = (byte & 0x7F for byte in head[6:10])
    return 10 + (a << 21 | b << 14 | c << 7 | d)


@dataclass(frozen=True, slots=True)
class _Foreign:
    """Something that is recognised, but not read."""

    what: str
    hint: str


_READABLE = (
    "Attach a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, HEIC or JPEG 2000 picture, a PDF, "
    "a WAV, FLAC, MP3, Ogg, Opus, M4A, AAC, AIFF, CAF or WebM sound, "
    "an MP4, MOV, WebM, MKV or AVI video, or a text in UTF-8."
)
_AS_PNG = "Export it as a PNG picture first."
_MP3 = FileFormat("audio", "audio/mpeg", "mp3")

_AFTER_ID3: tuple[tuple[bytes, FileFormat | _Foreign], ...] = (
    (rb"fLaC", FileFormat("audio", "audio/flac", "flac")),
    (rb"\xff[\xf0\xf1\xf8\xf9]", FileFormat("audio", "audio/aac", "aac")),
)

_SIGNATURES: tuple[tuple[bytes, FileFormat | _Foreign], ...] = (
    (rb"\x89PNG\r\n\x1a\n", FileFormat("image", "image/png", "PNG")),
    (rb"\xff\xd8\xff", FileFormat("image", "image/jpeg", "JPEG")),
    (rb"GIF8[79]a", FileFormat("image", "image/gif", "GIF")),
    (rb"RIFF....WEBP", FileFormat("image", "image/webp", "WEBP")),
    # byte 14 is the size of the second header, of which there are seven kinds
    (rb"BM.{12}[\x0c(48@l|]\0\0\0", FileFormat("image", "image/bmp", "BMP")),
    (rb"II[*+]\0|MM\0[*+]", FileFormat("image", "image/tiff", "TIFF")),
    # ISO media files begin with a size, `ftyp`, the main brand, a version, and more brands
    (
        rb"....ftyp(?:avi[fs]|m[is]f1.{4}(?:.{4})*?avi[fs])",
        FileFormat("image", "image/avif", "AVIF"),
    ),
    (
        rb"....ftyp(?:hei[cmsx]|hev[cmsx]|m[is]f1)",
        FileFormat("image", "image/heic", "HEIF"),
    ),
    (rb"\0\0\0\x0cjP  \r\n\x87\n", FileFormat("image", "image/jp2", "JPEG2000")),
    # the bare code stream: start of codestream, then the size marker (ISO 15444-1, annex A)
    (rb"\xff\x4f\xff\x51", FileFormat("image", "image/j2c", "JPEG2000")),
    (rb"(?:RIFF|RF64)....WAVE", FileFormat("audio", "audio/wav", "wav")),
    (rb"FORM....AIF[CF]", FileFormat("audio", "audio/aiff", "aiff")),
    (rb"OggS", FileFormat("audio", "audio/ogg", "ogg")),
    (rb"caff", FileFormat("audio", "audio/x-caf", "caf")),
    (rb"\x1aE\xdf\xa3.{,60}webm", FileFormat("audio", "audio/webm", "matroska")),
    (rb"\x1aE\xdf\xa3", FileFormat("audio", "audio/x-matroska", "matroska")),
    (rb"RIFF....AVI ", FileFormat("audio", "video/x-msvideo", "avi")),
    (rb"....(?:ftyp|moov|mdat|wide|free)", FileFormat("audio", "audio/mp4", "mov")),
    *_AFTER_ID3,
    # MPEG audio has no signature but the bits that begin a frame: 11 ones, version, layer III or
    # II, bit rate. Layer I is left out, or UTF-16 text with a byte-order mark would match.
    (rb"\xff[\xe2-\xe5\xf2-\xf5\xfa-\xfd][\x10-\xef]", _MP3),
    (rb"\s{,16}%PDF-\d", FileFormat("image", "application/pdf", "PDF")),
    (rb"%!PS|\xc5\xd0\xd3\xc6", _Foreign("a PostScript file, not a picture or a sound", _AS_PNG)),
    (
        rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*)?<svg",
        _Foreign("an SVG drawing, which this program cannot read", _AS_PNG),
    ),
    (
        rb"FLV\x01|\0\0\x01[\xb3\xba]",
        _Foreign(
            "a video of a kind that this program cannot read",
            "Export it as MP4, MOV, WebM, MKV or AVI first.",
        ),
    ),
)


def _match(
    head: bytes, signatures: tuple[tuple[bytes, FileFormat | _Foreign], ...]
) -> FileFormat | _Foreign | None:
    found = (value for pattern, value in signatures if re.match(pattern, head, re.DOTALL))
    return next(found, None)


def _text_or_unknown(head: bytes) -> FileFormat | _Foreign:
    try:
        text = codecs.getincrementaldecoder(encoding_of(head))().decode(head)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return _Foreign("not a picture or a sound this program reads, nor UTF-8 text", _READABLE)
    return FileFormat("text", "text/plain", "utf-8")
