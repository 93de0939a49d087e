"""Pictures: from a file to pixels of the size that Gemma 4 sees.

Decodes the first frame, turns it upright, flattens it on white and resizes it to the exact size
of the reference. Knows no network, and decides no budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image, features

from gemma_tui.errors import LimitError, UnsupportedFormatError
from gemma_tui.preprocessing.budget import check_budget, image_size
from gemma_tui.preprocessing.formats import FileFormat, format_of
from gemma_tui.preprocessing.patches import ImageFeatures, cut_patches
from gemma_tui.preprocessing.resizing import resize
from gemma_tui.preprocessing.source import decoding, open_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MAX_PIXELS = 100_000_000
"""A picture of more is refused before it is decoded: 94 kB of PNG can hold 400 MB of pixels."""

_STRIP_ROWS = 256
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_OPTIONAL = {"AVIF": "avif", "WEBP": "webp", "JPEG2000": "jpg_2000"}
"""Decoders that a Pillow may have been built without, and how it calls them."""
_TOO_MANY = "Make it smaller first; the model sees at most about 2.6 megapixels of it anyway."


def image_features(path: Path, name: str, budget: int) -> ImageFeatures:
    """Decode a picture and cut it into patches, as the reference image processor does.

    As in transformers' `Gemma4ImageProcessorPil`: bicubic resize of the 8-bit picture, times 1/255,
    no normalisation, patches row by row. Pictures of 16 and 32 bits a channel are scaled to 8 bits,
    where the reference clips them.

    Args:
        path: The file.
        name: What error messages call it.
        budget: The most soft tokens it may cost, one of `TOKEN_BUDGETS`.

    Raises:
        AttachmentError: It is not a readable picture of at most 100 megapixels.
        BudgetError: `budget` is not one of the budgets.
    """
    return cut_patches(image_pixels(path, name, budget))


def image_pixels(path: Path, name: str, budget: int) -> NDArray[np.uint8]:
    """Decode a picture and resize it; what `cut_patches` takes.

    Args:
        path: The file.
        name: What error messages call it.
        budget: The most soft tokens it may cost, one of `TOKEN_BUDGETS`.

    Returns:
        [height, width, 3] red, green, blue; both sides are multiples of 48.

    Raises:
        AttachmentError: It is not a readable picture of at most 100 megapixels.
        BudgetError: `budget` is not one of the budgets.
    """
    check_budget(budget)
    with open_file(path, name) as file:
        file_format = format_of(file, name)
        if file_format.kind != "image" or file_format.decoder == "PDF":
            what = "a document" if file_format.kind == "image" else "a sound"
            message = f"“{name}” is {what}, not a picture."
            raise UnsupportedFormatError(message, f"Attach it as {what}.")
        picture = decode_picture(file, file_format, name)
    with decoding(name):
        flat = opaque(picture)
        size = image_size(*flat.size, budget)
        return np.asarray(resize(flat, size).convert("RGB"))


def decode_picture(file: BinaryIO, file_format: FileFormat, name: str) -> Image.Image:
    """Decode the first frame completely, upright, in whatever mode it is stored.

    Raises:
        UnsupportedFormatError: What reads this format is not installed.
        LimitError: It has more than `MAX_PIXELS` pixels.
        DamagedFileError: It cannot be decoded to its end.
    """
    _check_decoder(file_format, name)
    # Pillow's own guard against bombs knows two limits, and warns at the lower one
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with decoding(name):
        try:
            picture: Image.Image = Image.open(file, formats=(file_format.decoder,))
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_large(name, f"{picture.width} x {picture.height} pixels")
            picture.load()
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large(name, "far more pixels") from error
        return _upright(picture)


def _check_decoder(file_format: FileFormat, name: str) -> None:
    """Some decoders are not in every Pillow, and that of HEIC is an extra of this program."""
    if file_format.decoder == "HEIF":
        try:
            from pillow_heif import register_heif_opener  # noqa: PLC0415  # an extra
        except ImportError:
            message = f"“{name}” is a HEIC picture, and what reads those is not installed."
            hint = "Install the extra gemma-tui[heic], or export it as JPEG or PNG."
            raise UnsupportedFormatError(message, hint) from None
        register_heif_opener(thumbnails=False)
    feature = _OPTIONAL.get(file_format.decoder)
    if feature and not features.check(feature):
        message = f"“{name}” is in the {file_format.decoder} format, which this Pillow cannot read."
        raise UnsupportedFormatError(message, "Export it as PNG, or install a complete Pillow.")


def _too_large(name: str, size: str) -> LimitError:
    return LimitError(f"“{name}” has {size}, and at most 100 megapixels can be read.", _TOO_MANY)


def _upright(picture: Image.Image) -> Image.Image:
    """Apply the EXIF orientation (EXIF 2.3, tag 0x0112); one that cannot be read is none."""
    try:
        orientation = picture.getexif().get(_EXIF_ORIENTATION)
    except Exception:  # noqa: BLE001 - broken EXIF does not make a picture unreadable
        return picture
    turn = _UPRIGHT.get(orientation or 1)
    return picture if turn is None else picture.transpose(turn)


def flatten(picture: Image.Image) -> Image.Image:
    """To 8-bit RGB; what is transparent becomes white."""
    flat = opaque(picture)
    return flat if flat.mode == "RGB" else flat.convert("RGB")


def opaque(picture: Image.Image) -> Image.Image:
    """To 8-bit RGB, or to 8-bit grey, which takes a quarter and is resized to the same.

    What is transparent becomes white.
    """
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        picture = _eight_bits(picture)
    if "A" not in picture.getbands() and picture.info.get("transparency") is None:
        mode = "L" if picture.mode in {"1", "L"} else "RGB"
        return picture if picture.mode == mode else picture.convert(mode)
    flat = Image.new("RGB", picture.size)
    for top, strip in _strips(picture):
        clear = strip.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        flat.paste(Image.alpha_composite(white, clear).convert("RGB"), (0, top))
    return flat


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Bands across the picture and their first rows: whole, it would be held four times over."""
    for top in range(0, picture.height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, picture.height)
        yield top, picture.crop((0, top, picture.width, bottom))


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scale grey of 16 bits, 32 bits or floating point to 8 bits; what is no number is black.

    16 bits take their whole range. The others have none of their own: 0..1 (floating point), 0..255
    and 0..65535 are taken as such if all values lie inside, else what is there is stretched.
    """
    low, high = _range(picture)
    scale = 255 / max(high - low, 1e-12)
    grey = Image.new("L", picture.size)
    for top, strip in _strips(picture):
        values = (_finite(strip) - low) * scale
        levels = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
        grey.paste(Image.fromarray(levels), (0, top))
    return grey


def _range(picture: Image.Image) -> tuple[float, float]:
    """The values that become black and white."""
    if picture.mode.startswith("I;16"):
        return 0.0, 65535.0
    extremes = [
        (values.min(), values.max()) for values in (_finite(strip) for _, strip in _strips(picture))
    ]
    low, high = float(min(e[0] for e in extremes)), float(max(e[1] for e in extremes))
    if low < 0:
        return low, high
    usual = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
    return 0.0, next((top for top in usual if high <= top), high)


def _finite(strip: Image.Image) -> NDArray[np.float64]:
    """[rows, columns] float64."""
    return np.nan_to_num(np.asarray(strip, np.float64), posinf=0.0, neginf=0.0)
