"""Plain WAV is read as FFmpeg reads it; everything else is left to FFmpeg."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.preprocessing import audio
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.wave_file import read_plain_wave
from tests.preprocessing.sounds import encoded, tone, wav

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_are_those_of_ffmpeg(
    rate: int, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, (rate + 7) * channels)
    data = wav(noise, rate=rate, channels=channels)

    def clip() -> NDArray[np.float32]:
        file = io.BytesIO(data)
        return audio.decode_clip(file, format_of(file, "a"), "a")

    plain = clip()
    monkeypatch.setattr(audio, "read_plain_wave", lambda *_: None)
    np.testing.assert_allclose(plain, clip(), atol=0 if rate == 16_000 else 2e-6)


def test_length_is_that_of_the_file_where_the_header_claims_more() -> None:
    data = wav(np.ones(32_000), claimed=2**31 - 2)
    read = read_plain_wave(io.BytesIO(data), 31.0)
    assert read is not None
    assert read.values.shape == (1, 32_000)
    assert 2.0 <= read.seconds < 2.01


def test_no_more_is_read_than_wanted() -> None:
    read = read_plain_wave(io.BytesIO(wav(np.ones(32_000))), 0.5)
    assert read is not None
    assert read.values.shape == (1, 8_000)
    assert read.seconds == 2.0


@pytest.mark.parametrize(
    "data",
    [
        encoded(tone(0.5, 16_000), "wav", "pcm_f32le", 16_000),
        encoded(tone(0.5, 16_000), "wav", "pcm_s24le", 16_000),
        wav(np.ones(900), channels=3),
        wav(np.ones(900), rate=900),
        b"RIFF\x04\x00\x00\x00WAVE",
    ],
    ids=["float", "24 bits", "3 channels", "rate", "no chunks"],
)
def test_anything_else_is_left_to_ffmpeg(data: bytes) -> None:
    file = io.BytesIO(data)
    assert read_plain_wave(file, 31.0) is None
    assert file.tell() == 0


@given(st.binary(max_size=80), st.integers(0, 50))
def test_damage_is_no_crash(noise: bytes, at: int) -> None:
    data = bytearray(wav(np.linspace(-1, 1, 100)))
    data[at : at + len(noise)] = noise
    file = io.BytesIO(bytes(data))
    read = read_plain_wave(file, 31.0)
    assert file.tell() == 0 if read is None else read.values.size > 0
