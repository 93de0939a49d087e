"""Pictures to patches: equal to the reference where that is sane, and sane where it is not."""

from __future__ import annotations

import io
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gemma_tui.errors import BudgetError, DamagedFileError, LimitError, UnsupportedFormatError
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS, image_size, image_tokens
from gemma_tui.preprocessing.image import image_features
from tests.golden import preprocessing_inputs as inputs
from tests.preprocessing.sounds import tone, wav

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from gemma_tui.preprocessing.patches import ImageFeatures


def pixels_of(features: ImageFeatures) -> NDArray[np.float32]:
    """Patches put together again: [height, width, 3]."""
    columns, rows = features.grid
    tiles = features.pixel_values.reshape(rows, columns, 16, 16, 3)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(rows * 16, columns * 16, 3)


def levels_of(picture: Image.Image, path: Path, image_format: str = "PNG") -> NDArray[np.int64]:
    """[height, width, 3] levels 0..255 that the model sees of a picture saved at `path`."""
    picture.save(path, image_format)
    values = pixels_of(image_features(path, "it", 70))
    return np.rint(values * 255).astype(np.int64)


@pytest.mark.parametrize("number", range(len(inputs.PICTURES)))
def test_pixels_equal_the_reference(
    golden: Mapping[str, NDArray[Any]], tmp_path: Path, number: int
) -> None:
    mode, width, height = inputs.PICTURES[number]
    path = tmp_path / "picture"
    inputs.picture(mode, width, height).save(path, "TIFF" if mode == "CMYK" else "PNG")
    for column, budget in enumerate(TOKEN_BUDGETS):
        features = image_features(path, "picture", budget)
        values = features.pixel_values
        shown = values.ravel()[inputs.shown_pixels(values.size)]
        expected = golden["pixel_values"][number, column]
        np.testing.assert_allclose(shown, expected, rtol=0, atol=1e-6)
        levels = np.rint(values * 255).astype(np.uint8)
        assert zlib.crc32(levels.tobytes()) == golden["pixel_sums"][number, column]


@pytest.mark.parametrize("budget", TOKEN_BUDGETS)
def test_shapes_and_positions(tmp_path: Path, budget: int) -> None:
    path = tmp_path / "a.png"
    inputs.picture("RGB", 123, 457).save(path)
    features = image_features(path, "a.png", budget)
    width, height = image_size(123, 457, budget)
    columns, rows = features.grid
    assert (columns * 16, rows * 16) == (width, height)
    assert features.token_count == image_tokens(123, 457, budget)
    assert features.pixel_values.shape == (rows * columns, 768)
    assert features.pixel_values.dtype == np.float32
    assert features.positions.dtype == np.int32
    expected = [[x, y] for y in range(rows) for x in range(columns)]
    assert features.positions.tolist() == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_is_seen_upright(tmp_path: Path, orientation: int) -> None:
    """All eight EXIF orientations of one scene give the same pixels."""
    scene = Image.new("RGB", (96, 144), "white")
    ImageDraw.Draw(scene).rectangle((0, 0, 47, 40), fill="red")
    # how a camera held in that way stores the scene: the inverse of what EXIF asks for
    stored_by: dict[int, Image.Transpose] = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turn = stored_by.get(orientation)
    stored = scene if turn is None else scene.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.png", exif=exif)
    scene.save(tmp_path / "plain.png")
    turned = image_features(tmp_path / "turned.png", "turned", 70)
    plain = image_features(tmp_path / "plain.png", "plain", 70)
    assert turned.grid == plain.grid
    np.testing.assert_array_equal(turned.pixel_values, plain.pixel_values)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_is_ignored(tmp_path: Path) -> None:
    picture = Image.new("RGB", (50, 50), "lime")
    picture.save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff rubbish")
    assert image_features(tmp_path / "a.jpg", "a.jpg", 70).token_count == 64


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    for mode in ("RGBA", "LA"):
        clear = Image.new(mode, (60, 60), 0)
        assert levels_of(clear, tmp_path / "a").min() == 255
    palette = Image.new("P", (60, 60), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.info["transparency"] = 0
    assert levels_of(palette, tmp_path / "b").min() == 255


def test_large_transparent_pictures_are_flattened_as_a_whole(tmp_path: Path) -> None:
    """Taller than a strip: no seam, and the same as flattening at once."""
    picture = inputs.picture("RGBA", 90, 700)
    white = Image.new("RGBA", picture.size, "white")
    at_once = Image.alpha_composite(white, picture).convert("RGB")
    found = levels_of(picture, tmp_path / "a")
    np.testing.assert_array_equal(found, levels_of(at_once, tmp_path / "b"))


@pytest.mark.parametrize(
    ("values", "image_format"),
    [
        (np.linspace(0, 65535, 96 * 96).reshape(96, 96).astype(np.uint16), "PNG"),
        (np.linspace(0, 65535, 96 * 96).reshape(96, 96).astype(np.uint16), "TIFF"),
        (np.linspace(0, 65535, 96 * 96).reshape(96, 96).astype(np.int32), "TIFF"),
        (np.linspace(0, 255, 96 * 96).reshape(96, 96).astype(np.int32), "TIFF"),
        (np.linspace(-7e6, 9e6, 96 * 96).reshape(96, 96).astype(np.int32), "TIFF"),
        (np.linspace(0, 1, 96 * 96).reshape(96, 96).astype(np.float32), "TIFF"),
        (np.linspace(-1, 1, 96 * 96).reshape(96, 96).astype(np.float32), "TIFF"),
    ],
)
def test_deep_grey_keeps_its_shades(
    tmp_path: Path, values: NDArray[Any], image_format: str
) -> None:
    """A ramp stays a ramp from black to white, where a plain conversion would clip it."""
    levels = levels_of(Image.fromarray(values), tmp_path / "deep", image_format)
    means = levels.mean(axis=(1, 2))
    assert means[0] < 4
    assert means[-1] > 251
    assert (np.diff(means) >= 0).all()
    assert abs(means[len(means) // 2] - 127.5) < 4


def test_dark_pictures_stay_dark(tmp_path: Path) -> None:
    values = np.full((60, 60), 6000, np.uint16)
    assert set(levels_of(Image.fromarray(values), tmp_path / "a").ravel()) == {23}


def test_not_a_number_is_black(tmp_path: Path) -> None:
    values = np.full((60, 60), np.nan, np.float32)
    values[:, 30:] = 1
    levels = levels_of(Image.fromarray(values), tmp_path / "a", "TIFF")
    assert (levels.min(), levels.max()) == (0, 255)


def test_an_animation_shows_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (60, 60), colour) for colour in ("red", "lime", "blue")]
    for image_format in ("GIF", "WEBP", "PNG", "TIFF"):
        path = tmp_path / image_format
        more = {"lossless": True} if image_format == "WEBP" else {}
        frames[0].save(path, image_format, save_all=True, append_images=frames[1:], **more)
        found = np.rint(pixels_of(image_features(path, "a", 70))[20, 20] * 255)
        assert found.tolist() == [255, 0, 0], image_format


def test_more_than_100_megapixels_are_refused_undecoded(tmp_path: Path) -> None:
    """The 1-bit pictures are a few kB as files, and would be 300 MB and more as pixels."""
    for number, size in enumerate([(10_001, 10_000), (20_001, 20_000), (65_535, 65_535)]):
        path = tmp_path / f"{number}.png"
        path.write_bytes(png_header(*size))
        with pytest.raises(LimitError, match="100 megapixels"):
            image_features(path, "bomb.png", 70)


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims a size."""
    whole = io.BytesIO()
    Image.new("1", (8, 8)).save(whole, "PNG")
    data = bytearray(whole.getvalue())
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    inputs.picture("RGB", 200, 200).save(whole, "JPEG")
    path = tmp_path / "cut.jpg"
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    with pytest.raises(DamagedFileError, match=r"“cut\.jpg” is cut off or damaged"):
        image_features(path, "cut.jpg", 70)


def test_a_sound_is_not_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(wav(tone(1)))
    with pytest.raises(UnsupportedFormatError, match="is a sound, not a picture"):
        image_features(path, "a.png", 70)


def test_the_budget_is_checked_first(tmp_path: Path) -> None:
    with pytest.raises(BudgetError):
        image_features(tmp_path / "missing", "missing", 100)


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        inputs.picture("RGBA", 300 + 31 * number, 200).save(path)
    alone = [image_features(path, path.name, 140).pixel_values for path in paths]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda path: image_features(path, path.name, 140), paths))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other.pixel_values)
