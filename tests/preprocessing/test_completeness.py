"""Files that end too early, told from their own structure."""

from __future__ import annotations

import io
import struct

import pytest

from gemma_tui.preprocessing.completeness import missing_bytes
from gemma_tui.preprocessing.formats import FileFormat
from tests.preprocessing.sounds import encoded, tone, wav

OGG = FileFormat("audio", "audio/ogg", "ogg")
WAV = FileFormat("audio", "audio/wav", "wav")
CAF = FileFormat("audio", "audio/x-caf", "caf")


def missing(data: bytes, file_format: FileFormat) -> int:
    file = io.BytesIO(data)
    found = missing_bytes(file, file_format)
    assert file.tell() == 0
    return found


@pytest.mark.parametrize("cut", [0, 1, 30, 400, 3_000])
def test_ogg_pages(cut: int) -> None:
    """A cut in the page header counts as one byte: how long the page is cannot be known."""
    whole = encoded(tone(2, 48_000), "ogg", "libopus", 48_000)
    last = len(whole) - whole.rindex(b"OggS")
    expected = cut if cut <= last - 27 - 255 else None
    found = missing(whole[: len(whole) - cut], OGG)
    assert (found > 0) == (cut > 0)
    assert expected is None or found == expected


def test_ogg_that_ends_between_two_pages_says_nothing() -> None:
    whole = encoded(tone(2, 48_000), "ogg", "libopus", 48_000)
    assert missing(whole[: whole.rindex(b"OggS")], OGG) == 0


def test_wav_chunks_before_and_after_the_data_are_passed_over() -> None:
    whole = wav(tone(0.1))
    extra = b"LIST" + struct.pack("<I", 5) + b"INFOx\0"
    assert missing(whole[:12] + extra + whole[12:] + extra, WAV) == 0
    assert missing((whole[:12] + extra + whole[12:])[:-1_000], WAV) == 1_000 - 44


def test_caf_of_unknown_length() -> None:
    head = b"caff\0\1\0\0" + b"data" + struct.pack(">q", -1)
    assert missing(head + bytes(100), CAF) == 0
    head = b"caff\0\1\0\0" + b"data" + struct.pack(">q", 104)
    assert missing(head + bytes(100), CAF) == 4
