"""Sounds to clips and features: every format, every rate, and where the limits lie."""

from __future__ import annotations

import io
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gemma_tui.errors import DamagedFileError, LimitError, UnsupportedFormatError
from gemma_tui.preprocessing.audio import (
    AudioFeatures,
    audio_features,
    decode_clip,
    waveform_frames,
)
from gemma_tui.preprocessing.budget import MAX_CLIP_SAMPLES, audio_tokens, mel_frames
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.mel import LogMel
from tests.golden import preprocessing_inputs as inputs
from tests.preprocessing.sounds import COMPRESSED, PLAIN, encoded, tone, wav

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


def clip_of(path: Path, data: bytes) -> NDArray[np.float32]:
    path.write_bytes(data)
    with path.open("rb") as file:
        return decode_clip(file, format_of(file, path.name), path.name)


def features_of(path: Path, data: bytes) -> AudioFeatures:
    path.write_bytes(data)
    return audio_features(path, path.name)


def loudest_hertz(clip: NDArray[np.float32]) -> float:
    spectrum = np.abs(np.fft.rfft(clip))
    return float(np.fft.rfftfreq(clip.size, 1 / 16_000)[spectrum.argmax()])


@pytest.mark.parametrize(("muxer", "encoder", "rate", "_media_type"), COMPRESSED + PLAIN)
def test_every_format_is_heard_alike(
    tmp_path: Path, muxer: str, encoder: str, rate: int, _media_type: str
) -> None:
    clip = clip_of(tmp_path / "a", encoded(tone(1.5, rate), muxer, encoder, rate))
    assert clip.dtype == np.float32
    # AAC fills its first and last frame, of 1,024 samples each
    assert 24_000 <= clip.size <= 24_000 + (1_100 if encoder == "aac" else 0)
    assert abs(loudest_hertz(clip[2_000:22_000]) - 440) <= 1
    middle = clip[4_000:20_000].astype(np.float64)
    assert abs(np.sqrt((middle**2).mean()) - 0.5 / np.sqrt(2)) < 0.02


@pytest.mark.parametrize("rate", [1_000, 4_000, 8_000, 11_025, 22_050, 44_100, 48_000, 768_000])
def test_every_rate_keeps_the_length(tmp_path: Path, rate: int) -> None:
    clip = clip_of(tmp_path / "a.wav", wav(tone(0.5, rate, 0.1), rate=rate))
    assert clip.size == -(-round(0.5 * rate) * 16_000 // rate)
    assert abs(loudest_hertz(clip) - 440) <= 4


def test_16_khz_mono_is_taken_as_it_is(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(-32768, 32768, 5_000) / 32767
    clip = clip_of(tmp_path / "a.wav", wav(np.clip(levels, -1, 1)))
    expected = (np.clip(levels, -1, 1) * 32767).astype("<i2") / 32768
    np.testing.assert_array_equal(clip, expected.astype(np.float32))


@pytest.mark.parametrize("channels", [2, 3, 6, 32])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    samples = np.zeros((8_000, channels))
    samples[:, 0] = tone(0.5)
    clip = clip_of(tmp_path / "a.wav", wav(samples.ravel(), channels=channels))
    np.testing.assert_allclose(clip, tone(0.5) / channels, atol=1e-4)


def test_eight_bits_are_centred(tmp_path: Path) -> None:
    clip = clip_of(tmp_path / "a.wav", encoded(np.zeros(4_000), "wav", "pcm_u8", 16_000))
    assert not clip.any()


def test_louder_than_full_scale_is_made_quieter(tmp_path: Path) -> None:
    clip = clip_of(tmp_path / "a.wav", wav((tone(0.5) * 40_000).astype(np.float32)))
    assert np.abs(clip).max() == 1
    np.testing.assert_allclose(clip, tone(0.5) * 2, atol=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_not_a_number_is_refused(tmp_path: Path, value: float, rate: int) -> None:
    samples = tone(0.5).astype(np.float32)
    samples[777] = value
    with pytest.raises(DamagedFileError, match="not finite"):
        clip_of(tmp_path / "a.wav", wav(samples, rate=rate))


def test_numbers_that_overflow_are_refused(tmp_path: Path) -> None:
    samples = np.full(8_000, 3e38, np.float32)
    with pytest.raises(DamagedFileError, match="not finite"):
        clip_of(tmp_path / "a.wav", wav(samples, channels=2))


@pytest.mark.parametrize("rate", [1, 8, 999, 1_000_000, 2**31 - 1])
def test_rates_no_recording_has_are_refused(tmp_path: Path, rate: int) -> None:
    with pytest.raises(DamagedFileError, match=f"{rate} samples a second"):
        clip_of(tmp_path / "a.wav", wav(tone(0.5), rate=rate))


@pytest.mark.parametrize("rate", [16_000, 44_100, 8_000])
def test_exactly_the_limits_are_taken(tmp_path: Path, rate: int) -> None:
    shortest = features_of(tmp_path / "a.wav", wav(tone(0.02, rate), rate=rate))
    assert (shortest.input_features.shape, shortest.token_count) == ((1, 128), 1)
    longest = features_of(tmp_path / "b.wav", wav(tone(30, rate), rate=rate))
    assert (longest.input_features.shape, longest.token_count) == ((2_999, 128), 750)


@pytest.mark.parametrize(("muxer", "encoder"), [("ipod", "aac"), ("adts", "aac"), ("mp3", "mp3")])
def test_filling_does_not_make_30_seconds_too_long(
    tmp_path: Path, muxer: str, encoder: str
) -> None:
    clip = clip_of(tmp_path / "a", encoded(tone(30, 44_100), muxer, encoder, 44_100))
    assert clip.size == MAX_CLIP_SAMPLES


@pytest.mark.parametrize(
    ("seconds", "rate", "words"),
    [(30.001, 16_000, "30.1 s"), (35.25, 8_000, "35.3 s"), (100, 2_000, "1 min 40 s")],
)
def test_too_long_says_how_long(tmp_path: Path, seconds: float, rate: int, words: str) -> None:
    with pytest.raises(LimitError) as caught:
        clip_of(tmp_path / "a.wav", wav(tone(seconds, rate), rate=rate))
    assert caught.value.message == f"“a.wav” is {words} long; a clip may last at most 30 s."
    assert "split into clips" in caught.value.hint


def test_too_long_of_unknown_length(tmp_path: Path) -> None:
    """A recorder that writes into a pipe leaves no length behind."""
    pieces = encoded(tone(31, 48_000), "webm", "libopus", 48_000, {"live": "1"})
    with pytest.raises(LimitError, match=r"is longer than 30 s;"):
        clip_of(tmp_path / "a.webm", pieces)


def test_a_long_sound_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Three hours of MP3: the 30 s that show it is too long are all that is decoded."""

    class Counting(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.count += len(data)
            return data

    options = {"id3v2_version": "0", "write_xing": "0"}
    minute = encoded(tone(60, 8_000), "mp3", "mp3", 8_000, options)
    file = Counting(minute * 180)
    with pytest.raises(LimitError, match=r"is 3 h 0 min long"):
        decode_clip(file, format_of(file, "lecture"), "lecture")
    assert file.count < len(minute) * 2


def test_too_short(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match=r"lasts 19\.9 ms; a clip needs at least 20 ms"):
        clip_of(tmp_path / "a.wav", wav(tone(0.0199)))


def test_no_samples(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="holds no samples"):
        clip_of(tmp_path / "a.wav", wav(tone(0)))


def test_features_have_no_padding(tmp_path: Path) -> None:
    samples = inputs.clip("sweep", 12_345)
    features = features_of(tmp_path / "a.wav", wav(samples))
    assert features.input_features.dtype == np.float32
    assert features.input_features.shape == (mel_frames(12_345), 128)
    assert features.token_count == audio_tokens(12_345)
    np.testing.assert_array_equal(features.input_features, LogMel()(samples))


def test_a_clip_is_cut_into_frames_as_the_reference_does(
    golden: Mapping[str, NDArray[Any]],
) -> None:
    for length in inputs.CLIP_LENGTHS:
        frames = waveform_frames(inputs.clip("noise", length))
        count, checksum = golden[f"waveform_{length}"].tolist()
        assert frames.shape == (count, 640)
        assert frames.dtype == np.float32
        assert zlib.crc32(frames.tobytes()) == checksum


def test_features_serve_both_ways_of_hearing(tmp_path: Path) -> None:
    samples = inputs.clip("sweep", 12_345)
    features = features_of(tmp_path / "a.wav", wav(samples))
    np.testing.assert_array_equal(features.waveform, waveform_frames(samples))


def test_many_threads_at_once_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(encoded(tone(2, 44_100), "mp3", "mp3", 44_100))
    alone = audio_features(path, "a.mp3").input_features
    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(audio_features, path, "a.mp3") for _ in range(12)]
    for job in jobs:
        np.testing.assert_array_equal(job.result().input_features, alone)


def test_a_picture_is_not_a_sound(tmp_path: Path) -> None:
    inputs.picture("RGB", 20, 20).save(tmp_path / "a.png")
    with pytest.raises(UnsupportedFormatError, match="is a picture, not a sound"):
        audio_features(tmp_path / "a.png", "a.wav")
