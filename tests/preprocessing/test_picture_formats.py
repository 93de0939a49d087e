"""Every format of pictures shows the model the pixels it was given, compared with the same as PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from gemma_tui.preprocessing.image import image_features
from tests.golden import preprocessing_inputs as inputs

if TYPE_CHECKING:
    from pathlib import Path

LOSSLESS: dict[str, dict[str, Any]] = {
    "TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
    "WEBP": {"lossless": True},
    "JPEG2000": {"irreversible": False},
    "HEIF": {"quality": -1, "chroma": 444, "matrix_coefficients": 0},
}
LOSSY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "HEIF": {"quality": 95, "chroma": 444},
    "JPEG2000": {"irreversible": True, "quality_mode": "dB", "quality_layers": [55]},
}


@pytest.fixture(autouse=True)
def _heif() -> None:
    pillow_heif.register_heif_opener()


def smooth(width: int, height: int) -> Image.Image:
    """A picture that lossy formats keep well."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(x / 23 + k) * np.cos(y / (31 + 4 * k)) for k in range(3)]
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))


def seen(path: Path, budget: int = 70) -> Any:
    return image_features(path, path.name, budget).pixel_values * 255


@pytest.mark.parametrize("image_format", LOSSLESS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_lossless_formats_show_exactly_the_same(
    tmp_path: Path, image_format: str, mode: str
) -> None:
    picture = inputs.picture(mode, 200, 131)
    if (mode, image_format) == ("RGBA", "BMP"):
        picture = picture.convert(
            "RGB"
        )  # Pillow writes a fourth byte that no reader takes as alpha
    picture.save(tmp_path / "plain", "PNG")
    picture.save(tmp_path / "other", image_format, **LOSSLESS[image_format])
    np.testing.assert_array_equal(seen(tmp_path / "other"), seen(tmp_path / "plain"))


@pytest.mark.parametrize("image_format", LOSSY)
def test_lossy_formats_show_nearly_the_same(tmp_path: Path, image_format: str) -> None:
    picture = smooth(300, 200)
    picture.save(tmp_path / "plain", "PNG")
    picture.save(tmp_path / "other", image_format, **LOSSY[image_format])
    off = np.abs(seen(tmp_path / "other") - seen(tmp_path / "plain"))
    assert off.mean() < 1.5
    assert off.max() < 16


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "LA"])
def test_modes_survive_their_format(tmp_path: Path, mode: str) -> None:
    """Grey, black and white, palette, print colours and 16 bits, in each format that has them."""
    if mode == "I;16":
        ramp = np.linspace(0, 65535, 90 * 90).reshape(90, 90).astype(np.uint16)
        picture = Image.fromarray(ramp)
    else:
        picture = inputs.picture(mode, 200, 131)
    formats = {
        "L": ("PNG", "TIFF", "BMP", "JPEG2000", "GIF"),
        "1": ("PNG", "TIFF", "BMP", "GIF"),
        "P": ("PNG", "TIFF", "BMP", "GIF"),
        "CMYK": ("TIFF",),
        "I;16": ("PNG", "TIFF", "JPEG2000"),
        "LA": ("PNG", "TIFF", "JPEG2000"),
    }[mode]
    first, *others = formats
    picture.save(tmp_path / "first", first)
    for image_format in others:
        picture.save(tmp_path / "other", image_format)
        np.testing.assert_array_equal(seen(tmp_path / "other"), seen(tmp_path / "first"))


def test_a_jpeg_of_print_colours_is_not_inverted(tmp_path: Path) -> None:
    """Adobe's JPEGs hold CMYK upside down and say so in a segment of their own."""
    white = Image.new("CMYK", (60, 60), 0)
    white.save(tmp_path / "white.jpg", "JPEG", quality=95)
    assert seen(tmp_path / "white.jpg").min() > 250


def test_a_heic_picture_is_shown_upright(tmp_path: Path) -> None:
    scene = Image.new("RGB", (96, 144), "white")
    scene.paste("red", (0, 0, 48, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    scene.transpose(Image.Transpose.ROTATE_90).save(
        tmp_path / "turned",
        "HEIF",
        exif=exif.tobytes(),
        quality=-1,
        chroma=444,
        matrix_coefficients=0,
    )
    scene.save(tmp_path / "plain", "PNG")
    np.testing.assert_array_equal(seen(tmp_path / "turned"), seen(tmp_path / "plain"))


def test_the_bare_code_stream_of_jpeg_2000(tmp_path: Path) -> None:
    picture = inputs.picture("RGB", 200, 131)
    picture.save(tmp_path / "boxed", "JPEG2000")
    picture.save(tmp_path / "bare", "JPEG2000", no_jp2=True)
    assert (tmp_path / "bare").read_bytes()[:4] == b"\xff\x4f\xff\x51"
    np.testing.assert_array_equal(seen(tmp_path / "bare"), seen(tmp_path / "boxed"))


def test_a_colour_profile_changes_nothing(tmp_path: Path) -> None:
    """As the reference, which takes the numbers as they are."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = inputs.picture("RGB", 90, 60)
    picture.save(tmp_path / "plain", "PNG")
    picture.save(tmp_path / "profiled", "PNG", icc_profile=profile)
    np.testing.assert_array_equal(seen(tmp_path / "profiled"), seen(tmp_path / "plain"))
