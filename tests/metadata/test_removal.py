"""Metadata: nothing of it is left, and every pixel is."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageSequence

from gemma_tui.metadata.removal import has_metadata_format, without_metadata
from gemma_tui.preprocessing.image import image_features
from gemma_tui.storage.blobs import BlobStore
from tests.metadata.pictures import (
    FORMATS,
    SPELLED,
    TURNED,
    WORDS,
    XMP,
    exif,
    packed_exif_png,
    placed,
    scene,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def cleaned(data: bytes) -> bytes:
    return b"".join(without_metadata(bytearray(data)))


def says_where(data: bytes) -> list[bytes]:
    return [spelled for spelled in SPELLED if spelled in data.lower() or spelled in data]


def seen(data: bytes, tmp_path: Path) -> NDArray[np.float32]:
    (tmp_path / "picture").write_bytes(data)
    return image_features(tmp_path / "picture", "picture", 70).pixel_values


def saved(image_format: str, **options: object) -> bytes:
    target = io.BytesIO()
    scene().save(target, image_format, **options)
    return target.getvalue()


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("image_format", FORMATS)
def test_the_place_is_gone_and_the_picture_is_the_same(
    image_format: str, orientation: int, tmp_path: Path
) -> None:
    before = placed(image_format, orientation)
    assert says_where(before)
    assert has_metadata_format(before[:64])
    after = cleaned(before)
    assert says_where(after) == []
    np.testing.assert_array_equal(seen(after, tmp_path), seen(before, tmp_path))
    assert cleaned(after) == after


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("image_format", TURNED)
def test_the_orientation_stays(image_format: str, orientation: int) -> None:
    with Image.open(io.BytesIO(cleaned(placed(image_format, orientation)))) as picture:
        assert picture.getexif()[0x0112] == orientation
        assert 0x8825 not in picture.getexif()


async def test_the_store_keeps_a_picture_without_its_metadata(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "data")
    for image_format in FORMATS:
        path = tmp_path / image_format
        path.write_bytes(placed(image_format, 6))
        blob = await blobs.add_file(path)
        assert blob.source_sha256 != blob.sha256
        assert blobs.path_of(blob.sha256).stat().st_size == blob.size_bytes
        assert (await blobs.add_file(blobs.path_of(blob.sha256))).is_new is False
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert len(files) == len(FORMATS)
    assert [says_where(path.read_bytes()) for path in files] == [[]] * len(files)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_colour_profile_stays(image_format: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    after = cleaned(saved(image_format, icc_profile=profile, exif=exif()))
    with Image.open(io.BytesIO(after)) as picture:
        assert picture.info["icc_profile"] == profile


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_picture_without_metadata_is_stored_byte_for_byte(image_format: str) -> None:
    before = saved(image_format)
    assert cleaned(before) == before


def test_what_is_no_picture_is_stored_byte_for_byte() -> None:
    for data in (b"RIFF\x24\0\0\0WAVEfmt " + WORDS.encode(), b"\0\0\0\x1cftypM4A " + XMP, b""):
        assert not has_metadata_format(data)
        assert cleaned(data) == data


def test_print_colours_of_a_jpeg_stay_as_they_are(tmp_path: Path) -> None:
    """The segment that says they are inverted is not metadata."""
    target = io.BytesIO()
    Image.new("CMYK", (60, 60), (0, 200, 30, 10)).save(target, "JPEG", exif=exif())
    after = cleaned(target.getvalue())
    np.testing.assert_array_equal(seen(after, tmp_path), seen(target.getvalue(), tmp_path))


def test_the_orientation_may_stand_in_xmp_or_in_hex(tmp_path: Path) -> None:
    xmp = XMP.replace(b"<rdf:Description", b'<rdf:Description tiff:Orientation="6"')
    for before in (saved("JPEG", xmp=xmp), packed_exif_png()):
        after = cleaned(before)
        assert says_where(after) == []
        assert b"xmp" not in after
        assert b"Raw profile" not in after
        with Image.open(io.BytesIO(after)) as picture:
            assert picture.getexif()[0x0112] == 6
        np.testing.assert_array_equal(seen(after, tmp_path), seen(before, tmp_path))


def test_progressive_pictures_have_several_scans(tmp_path: Path) -> None:
    before = saved("JPEG", progressive=True, exif=exif(3)) + WORDS.encode()
    after = cleaned(before)
    assert says_where(after) == []
    np.testing.assert_array_equal(seen(after, tmp_path), seen(before, tmp_path))


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_all_frames_and_pages_stay(image_format: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    target = io.BytesIO()
    options = {"exif": exif()} if image_format != "GIF" else {"comment": WORDS.encode()}
    frames[0].save(target, image_format, save_all=True, append_images=frames[1:], **options)
    after = cleaned(target.getvalue())
    assert says_where(after) == []
    with Image.open(io.BytesIO(after)) as picture:
        assert sum(1 for _ in ImageSequence.Iterator(picture)) == 3


def test_big_tiff(tmp_path: Path) -> None:
    before = saved("TIFF", big_tiff=True, exif=exif(6))
    after = cleaned(before)
    assert before[2:4] == b"+\0"
    assert says_where(before)
    assert says_where(after) == []
    np.testing.assert_array_equal(seen(after, tmp_path), seen(before, tmp_path))


def test_a_directory_that_leads_back_to_itself_ends() -> None:
    loop = bytearray(saved("TIFF"))
    at = int.from_bytes(loop[4:8], "little")
    end = at + 2 + 12 * int.from_bytes(loop[at : at + 2], "little")
    loop[end : end + 4] = loop[4:8]
    assert len(cleaned(bytes(loop))) == len(loop)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FORMATS), st.data())
def test_broken_pictures_are_read_to_an_end(image_format: str, data: st.DataObject) -> None:
    """Whatever the bytes say: an end, or the one error that the store turns into a sentence."""
    broken = bytearray(placed(image_format))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(broken)))
    try:
        after = cleaned(bytes(broken[:cut]))
    except ValueError:
        return
    assert len(after) <= cut + 100


def unended_tiff(software: bytes = b"") -> bytes:
    """A TIFF whose directory is not ended: the bits of its samples lie where the next one is said.

    So does a photograph of 1991 that many programs ship. With `software`, that tag is added.
    """
    entries = [
        *((256, 4, 1, 8), (257, 4, 1, 4), (258, 3, 3, 0), (259, 3, 1, 1), (262, 3, 1, 2)),
        *((273, 4, 1, 0), (277, 3, 1, 3), (278, 4, 1, 4), (279, 4, 1, 96)),
        *([(305, 2, len(software), 0)] if software else []),
    ]
    end = 8 + 2 + 12 * len(entries)
    places = {258: end, 273: end + 6 + len(software), 305: end + 6}
    directory = b"".join(
        struct.pack("<HHII", tag, kind, count, places.get(tag, value))
        for tag, kind, count, value in entries
    )
    head = b"II*\0\x08\0\0\0" + len(entries).to_bytes(2, "little")
    pixels = bytes(range(96))
    return head + directory + struct.pack("<HHH", 8, 8, 8) + software + pixels


def test_a_directory_that_is_not_ended_is_the_last_one(tmp_path: Path) -> None:
    assert cleaned(unended_tiff()) == unended_tiff()
    before = unended_tiff(b"written at home\0")
    after = cleaned(before)
    assert b"home" not in after
    assert np.array_equal(seen(before, tmp_path), seen(after, tmp_path))
