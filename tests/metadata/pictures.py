"""Pictures that say where they were taken, in every way their formats have."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pillow_heif
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from tests.golden import preprocessing_inputs as inputs

PLACE = 0x4D41_5251
"""A degree of latitude that can be found again in any byte order."""
SPELLED = (b"MARQ", b"QRAM", b"48.858222", b"Eiffel", b"4d415251")
"""As it stands in a file: as a number, or in words."""
WORDS = "48.858222 Eiffel"
XMP = (
    b'<?xpacket?><x:xmpmeta><rdf:Description exif:GPSLatitude="48.858222"'
    b' photoshop:City="Eiffel"/></x:xmpmeta>'
)
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF", "JPEG2000")
TURNED = ("JPEG", "PNG", "WEBP", "TIFF")
"""Formats whose orientation is in their EXIF."""


def exif(orientation: int = 1) -> Image.Exif:
    found = Image.Exif()
    if orientation != 1:
        found[0x0112] = orientation
    found[0x010E] = found[0x013B] = WORDS  # description and artist
    found.get_ifd(0x8825).update({1: "N", 2: (IFDRational(PLACE, 1), 51.0, 29.0), 29: "2026:01:01"})
    found.get_ifd(0x8769)[0x9286] = WORDS.encode()  # the user's comment
    return found


def scene() -> Image.Image:
    return inputs.picture("RGB", 96, 60)


def placed(image_format: str, orientation: int = 1) -> bytes:
    """A picture with its place in EXIF, XMP, texts, and behind its end."""
    pillow_heif.register_heif_opener()
    target = io.BytesIO()
    options: dict[str, Any] = {"exif": exif(orientation).tobytes()}
    match image_format:
        case "JPEG":
            options |= {"xmp": XMP, "comment": WORDS}
        case "PNG":
            texts = PngImagePlugin.PngInfo()
            texts.add_text("Location", WORDS)
            texts.add_text("Packed", WORDS, zip=True)
            texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
            options |= {"pnginfo": texts}
        case "WEBP":
            options |= {"xmp": XMP, "lossless": True}
        case "TIFF":
            tags = ImageFileDirectory_v2()
            tags[700] = XMP
            tags[33723] = WORDS.encode()
            tags[0x0112] = orientation
            options |= {"tiffinfo": tags, "exif": exif(orientation)}
        case "GIF":
            options = {"comment": WORDS.encode()}
        case "AVIF" | "HEIF":
            options |= {"xmp": XMP}
        case "JPEG2000":
            options = {"comment": WORDS}
    scene().save(target, image_format, **options)
    return target.getvalue() + behind(image_format)


def behind(image_format: str) -> bytes:
    """What phones and editors append."""
    match image_format:
        case "JPEG":
            second = io.BytesIO()
            scene().save(second, "JPEG", exif=exif())
            return second.getvalue() + b"MotionPhoto " + WORDS.encode()
        case "AVIF" | "HEIF" | "JPEG2000":
            content = b"uuid" + bytes(16) + XMP
            return (4 + len(content)).to_bytes(4, "big") + content
        case "PNG" | "GIF" | "WEBP":
            return WORDS.encode()
        case _:
            return b""


def packed_exif_png() -> bytes:
    """As ImageMagick keeps EXIF: hex digits in a packed text."""
    hexed = exif(6).tobytes().hex()
    content = b"Raw profile type exif\0\0" + zlib.compress(
        f"\nexif\n{len(hexed) // 2:8d}\n{hexed}\n".encode()
    )
    plain = io.BytesIO()
    scene().save(plain, "PNG")
    data = plain.getvalue()
    chunk = len(content).to_bytes(4, "big") + b"zTXt" + content
    chunk += zlib.crc32(b"zTXt" + content).to_bytes(4, "big")
    return data[:33] + chunk + data[33:]
