"""Late clips of an mp3 of varying bit rate: found by the headers of its frames, sample for sample."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.mpeg_frames import estimated_seconds, frames_of
from gemma_tui.preprocessing.probe import probe
from gemma_tui.preprocessing.sound_stream import decode_range, stream_places, stream_samples
from tests.preprocessing.sounds import encoded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, BinaryIO

    from numpy.typing import NDArray

SECONDS = 40
NOTHING_WRITTEN = {"write_xing": "0", "id3v2_version": "0"}


def loud_and_quiet(rate: int) -> NDArray[np.float64]:
    """Noise that comes and goes, so that frames differ in size; the same every time."""
    noise = np.random.default_rng(5).normal(0, 0.2, SECONDS * rate)
    return noise * (np.sin(np.arange(noise.size) / rate) > 0)


def joined(rate: int, path: Path) -> Path:
    """An mp3 of two bit rates and without a word about that, as live streams are saved."""
    half = loud_and_quiet(rate)[: SECONDS * rate // 2]
    pieces = [encoded(half, "mp3", "libmp3lame", rate, NOTHING_WRITTEN)]
    pieces.append(encoded(half * 0, "mp3", "libmp3lame", rate, NOTHING_WRITTEN))
    path.write_bytes(b"".join(pieces))
    return path


def of_one_quality(rate: int, path: Path) -> Path:
    """An mp3 whose encoder varied the bit rate, and said so in its first frame."""
    samples = (loud_and_quiet(rate).clip(-1, 1) * 32_767).astype(np.int16)
    with av.open(path, "w", format="mp3", options={"id3v2_version": "0"}) as container:
        stream: Any = container.add_stream("libmp3lame", rate=rate)
        stream.layout, stream.format = "mono", "s16p"
        stream.codec_context.qscale, stream.codec_context.global_quality = True, 4 * 118
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16p", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def whole(file: BinaryIO) -> NDArray[np.float32]:
    return np.concatenate(list(stream_samples(file, format_of(file, "a"), "a")))


@pytest.mark.parametrize("rate", [44_100, 24_000, 8_000])
@pytest.mark.parametrize("make", [joined, of_one_quality])
def test_a_late_clip_is_what_decoding_from_the_beginning_gives(
    make: Callable[[int, Path], Path], rate: int, tmp_path: Path
) -> None:
    path = make(rate, tmp_path / "a.mp3")
    with path.open("rb") as file:
        file_format = format_of(file, "a")
        assert frames_of(file, file_format) is not None
        expected = whole(file)
        for start in (8_001, 16_000 * 7 + 5, 16_000 * 19 + 11, 16_000 * 33):
            found = decode_range(file, file_format, "a", start, 16_000)
            assert np.array_equal(found, expected[start : start + 16_000]), start
        in_memory = BytesIO(path.read_bytes())  # found by FFmpeg itself, from the beginning
        late = decode_range(in_memory, file_format, "a", 16_000 * 33, 16_000)
        assert np.array_equal(late, expected[16_000 * 33 :][:16_000])
        starts = [16_000 * 2, 16_000 * 30, 16_000 * 35]
        places = list(stream_places(file, file_format, "a", starts, 800))
        for start, place in zip(starts, places, strict=True):
            middle = slice(100, 700)  # the resampler begins and ends with the piece
            assert np.allclose(place[middle], expected[start:][middle], atol=1e-3)


def test_places_are_found_as_far_as_they_are_needed(tmp_path: Path) -> None:
    path = joined(24_000, tmp_path / "a.mp3")
    with path.open("rb") as file:
        frames = frames_of(file, format_of(file, "a"))
        assert frames is not None
        file.seek(77)
        first = frames.find(file, 5)
        assert first is not None
        assert first.number == 0
        late = frames.find(file, 1_000)
        assert late is not None
        assert 1_000 - 128 < late.number <= 1_000
        assert file.tell() == 77
        assert frames.find(file, 10**7) is None
        file.seek(late.offset)
        assert file.read(1) == b"\xff"
        again = frames_of(file, format_of(file, "a"))  # as the next clip does
        assert again is not None
        assert again.find(BytesIO(), 1_000) == late


def test_the_length_is_that_of_all_frames_not_of_the_first_one(tmp_path: Path) -> None:
    path = joined(24_000, tmp_path / "a.mp3")
    with path.open("rb") as file:
        seconds = whole(file).size / 16_000
        assert estimated_seconds(file, format_of(file, "a")) == pytest.approx(seconds, rel=0.03)
    assert probe(path, "a").sample_count / 16_000 == pytest.approx(seconds, rel=0.03)


def test_what_breaks_off_in_the_middle_is_left_to_ffmpeg(tmp_path: Path) -> None:
    path = joined(24_000, tmp_path / "a.mp3")
    content = path.read_bytes()
    path.write_bytes(
        content[: len(content) // 2] + b"no frame " * 500 + content[len(content) // 2 :]
    )
    with path.open("rb") as file:
        frames = frames_of(file, format_of(file, "a"))
        assert frames is not None
        assert frames.find(file, 128 * 3) is not None
        assert frames.find(file, 1_600) is None
        late = decode_range(file, format_of(file, "a"), "a", 16_000 * 33, 16_000)
        assert late.size == 16_000
