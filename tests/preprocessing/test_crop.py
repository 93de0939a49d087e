"""Parts of pictures: the same pixels, upright, and regions as they are typed."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from gemma_tui.errors import UnsupportedFormatError, UsageError
from gemma_tui.preprocessing.crop import crop
from gemma_tui.preprocessing.probe import probe
from gemma_tui.region import Region, grid_field, parse_region
from tests.golden import preprocessing_inputs as inputs
from tests.preprocessing.sounds import tone, wav

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_a_part_has_the_same_pixels(tmp_path: Path, mode: str) -> None:
    picture = inputs.picture(mode, 201, 131)
    picture.save(tmp_path / "a.png")
    info = crop(tmp_path / "a.png", "a", (0.1, 0.2, 0.5, 0.5), tmp_path / "part.png")
    with Image.open(tmp_path / "part.png") as part:
        expected = picture.crop((20, 26, 121, 92))
        assert part.size == expected.size == (info.width, info.height)
        np.testing.assert_array_equal(
            np.asarray(part.convert("RGBA")), np.asarray(expected.convert("RGBA"))
        )
    assert probe(tmp_path / "part.png", "part") == info
    assert stat.S_IMODE(os.stat(tmp_path / "part.png").st_mode) == 0o600  # noqa: PTH116


def test_sixteen_bits_stay_and_print_colours_become_what_is_seen(tmp_path: Path) -> None:
    deep = np.arange(100 * 90, dtype=np.uint16).reshape(90, 100) * 7
    Image.fromarray(deep).save(tmp_path / "deep.png")
    crop(tmp_path / "deep.png", "a", (0.5, 0.0, 0.5, 1.0), tmp_path / "part.png")
    with Image.open(tmp_path / "part.png") as part:
        np.testing.assert_array_equal(np.asarray(part), deep[:, 50:])
    inputs.picture("CMYK", 60, 60).save(tmp_path / "print.tif")
    crop(tmp_path / "print.tif", "a", (0, 0, 1, 1), tmp_path / "whole.png")
    with Image.open(tmp_path / "whole.png") as part:
        expected = inputs.picture("CMYK", 60, 60).convert("RGB")
        np.testing.assert_array_equal(np.asarray(part), np.asarray(expected))


def test_the_region_is_of_the_upright_picture(tmp_path: Path) -> None:
    stored = Image.new("RGB", (90, 60), "white")
    stored.paste("red", (0, 50, 10, 60))  # its lower left corner becomes the upper left one
    exif = Image.Exif()
    exif[0x0112] = 6
    stored.save(tmp_path / "a.png", exif=exif)
    crop(tmp_path / "a.png", "a", grid_field(1).parts, tmp_path / "part.png")
    with Image.open(tmp_path / "part.png") as part:
        assert part.size == (20, 30)
        assert part.getpixel((0, 0)) == (255, 0, 0)


def test_nine_fields_cover_a_picture(tmp_path: Path) -> None:
    picture = inputs.picture("RGB", 100, 50)
    picture.save(tmp_path / "a.png")
    seen = np.zeros((50, 100), bool)
    for number in range(1, 10):
        left, top, width, height = grid_field(number).parts
        crop(tmp_path / "a.png", "a", (left, top, width, height), tmp_path / f"{number}.png")
        with Image.open(tmp_path / f"{number}.png") as part:
            x, y = int(left * 100 + 1e-6), int(top * 50 + 1e-6)
            seen[y : y + part.height, x : x + part.width] = True
            expected = picture.crop((x, y, x + part.width, y + part.height))
            np.testing.assert_array_equal(np.asarray(part), np.asarray(expected))
    assert seen.all()


def test_the_smallest_part_is_a_pixel(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    info = crop(tmp_path / "a.png", "a", (0.999, 0.999, 0.001, 0.001), tmp_path / "part.png")
    assert (info.width, info.height) == (1, 1)


def test_what_is_no_picture_has_no_parts(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(tone(1)))
    with pytest.raises(UnsupportedFormatError, match=r"“a\.wav” is not a picture"):
        crop(tmp_path / "a.wav", "a.wav", (0, 0, 1, 1), tmp_path / "part.png")
    assert not (tmp_path / "part.png").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10%,20%,50%,50%", (0.1, 0.2, 0.5, 0.5)),
        (" 10 , 20 ,50, 50 ", (0.1, 0.2, 0.5, 0.5)),
        ("0 0 100 12.5", (0.0, 0.0, 1.0, 0.125)),
        ("1", (0.0, 0.0, 1 / 3, 1 / 3)),
        ("9", (2 / 3, 2 / 3, 1 / 3, 1 / 3)),
        ("6", (2 / 3, 1 / 3, 1 / 3, 1 / 3)),
    ],
)
def test_regions_as_they_are_typed(text: str, expected: tuple[float, ...]) -> None:
    assert parse_region(text).parts == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "0", "10", "a,b,c,d", "10%,20%,50%", "-1,0,5,5", "1,2,3,4,5"])
def test_what_is_no_region(text: str) -> None:
    with pytest.raises(UsageError, match="is no part of a picture") as caught:
        parse_region(text)
    assert "field from 1 to 9" in caught.value.hint


@pytest.mark.parametrize("text", ["60%,0%,50%,50%", "0,0,0,50", "0,90,10,11", "100,100,1,1"])
def test_regions_outside(text: str) -> None:
    with pytest.raises(UsageError, match="not inside the picture"):
        parse_region(text)


def test_labels_are_fit_for_file_names() -> None:
    assert grid_field(5) == Region(1 / 3, 1 / 3, 1 / 3, 1 / 3, "field 5")
    assert parse_region("10%,20.50%,50,50").label == "10% 20.5% 50% 50%"
