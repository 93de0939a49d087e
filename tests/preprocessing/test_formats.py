"""Signatures."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.preprocessing.formats import FileFormat, format_of, id3_length


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x1cftypavif", FileFormat("image", "image/avif", "AVIF")),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1miafavif", FileFormat("image", "image/avif", "AVIF")),
        (b"\0\0\0\x1cftypheic", FileFormat("image", "image/heic", "HEIF")),
        (b"\0\0\0\x0cjP  \r\n\x87\n", FileFormat("image", "image/jp2", "JPEG2000")),
        (b"\xff\x4f\xff\x51\0\x2f", FileFormat("image", "image/j2c", "JPEG2000")),
        (b"\0\0\0\x1cftypM4A ", FileFormat("audio", "audio/mp4", "mov")),
        (b"\0\0\0\x08wide\0\0\1\0mdat", FileFormat("audio", "audio/mp4", "mov")),
        (b"RF64\xff\xff\xff\xffWAVE", FileFormat("audio", "audio/wav", "wav")),
        (b"BM" + bytes(12) + b"(\0\0\0", FileFormat("image", "image/bmp", "BMP")),
        (b"MM\0*\0\0\0\x08", FileFormat("image", "image/tiff", "TIFF")),
        (b"\xff\xf1\x50\x80", FileFormat("audio", "audio/aac", "aac")),
        (b"\xff\xfb\x90\x64", FileFormat("audio", "audio/mpeg", "mp3")),
        (b"\xff\xf3\x84\xc4", FileFormat("audio", "audio/mpeg", "mp3")),
        (b"\x1aE\xdf\xa3\x9fB\x82\x84webm", FileFormat("audio", "audio/webm", "matroska")),
        (
            b"\x1aE\xdf\xa3\x9fB\x82\x88matroska",
            FileFormat("audio", "audio/x-matroska", "matroska"),
        ),
    ],
)
def test_signatures(head: bytes, expected: FileFormat) -> None:
    file = io.BytesIO(head)
    file.seek(2)
    assert format_of(file, "it") == expected
    assert file.tell() == 0


def test_a_word_that_begins_like_a_bitmap_is_text() -> None:
    assert format_of(io.BytesIO(b"BMW drivers, a study in several volumes"), "it").kind == "text"


def test_text_cut_inside_a_character_is_text() -> None:
    assert format_of(io.BytesIO("€".encode() * 1_000), "it").kind == "text"


@given(st.integers(0, 2**28 - 1))
def test_tag_length(size: int) -> None:
    coded = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    assert id3_length(b"ID3\x04\0\0" + coded) == 10 + size


def test_no_tag() -> None:
    assert id3_length(b"RIFF\0\0\0\0WAVE") == id3_length(b"ID3") == 0
