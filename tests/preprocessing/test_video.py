"""Frames of videos: the right one at any time, of every format, and what is wrong with a file."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gemma_tui.errors import AttachmentError, DamagedFileError
from gemma_tui.preprocessing.budget import image_size
from gemma_tui.preprocessing.frame_times import MAX_FRAMES, frame_segments, time_stamp
from gemma_tui.preprocessing.picture_part import picture_pixels
from gemma_tui.preprocessing.preview import preview
from gemma_tui.preprocessing.probe import probe
from gemma_tui.preprocessing.video_reader import VideoReader
from tests.preprocessing.videos import encoded_video, number_of, turned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import VideoFrame

EVEN = tuple(range(0, 8000, 40))
UNEVEN = (0, 40, 500, 520, 2900, 3000, 3010, 6500, 6540, 7900)
FORMATS = (
    *(("mp4", "libx264"), ("mov", "libx264"), ("matroska", "libx264"), ("mp4", "libx265")),
    *(("webm", "libvpx-vp9"), ("webm", "libvpx"), ("mp4", "mpeg4"), ("avi", "mpeg4")),
    ("avi", "mjpeg"),
)
formats = pytest.mark.parametrize(("muxer", "encoder"), FORMATS, ids="-".join)


@cache
def film(muxer: str, encoder: str, times: tuple[int, ...] = EVEN, sound: float = 0) -> bytes:
    return encoded_video(muxer, encoder, times, sound_seconds=sound)


def shown(times: tuple[int, ...], at: int) -> int:
    """The frame that is on the screen."""
    return max((number for number, time in enumerate(times) if time <= at), default=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("videos")


def stored(folder: Path, data: bytes, name: str = "film") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@formats
def test_a_frame_a_second_and_each_is_the_one_that_is_seen_then(
    folder: Path, muxer: str, encoder: str
) -> None:
    path = stored(folder, film(muxer, encoder), f"{muxer}-{encoder}")
    info = probe(path, "film")
    assert [part.start for part in info.segments] == list(range(0, 8000, 1000))
    assert [part.label for part in info.segments] == [f"00:0{n}" for n in range(8)]
    assert (info.width, info.height) == (192, 96)
    assert info.sample_count == pytest.approx(8 * 16_000, abs=1000)
    for part in info.segments:
        pixels = picture_pixels(path, "film", 70, part.start)
        assert pixels.shape == (*image_size(192, 96, 70)[::-1], 3)
        assert number_of(pixels) == shown(EVEN, part.start)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(FORMATS),
    times=st.lists(st.integers(0, 8200), min_size=1, max_size=6),
    is_even=st.booleans(),
)
@example(kind=("avi", "mpeg4"), times=[2760], is_even=False)
def test_any_times_in_any_order(
    folder: Path, kind: tuple[str, str], times: list[int], is_even: bool
) -> None:
    """Also where the time between two frames varies: AVI alone has no time stamps for that."""
    frames = EVEN if is_even or kind[0] == "avi" else UNEVEN
    path = stored(folder, film(*kind, frames), f"{'-'.join(kind)}-{len(frames)}")
    reader = VideoReader(path, "film")
    for time in times:
        assert number_of(reader.frame_at(time)) == shown(frames, time)


class Counting(VideoReader):
    """Counts what it decodes, but for the first frame after each seek."""

    decoded = 0

    def _begin(self, *, was_sought: bool) -> None:
        super()._begin(was_sought=was_sought)
        self._frames = self._counted(self._frames)

    def _counted(self, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            self.decoded += 1
            yield frame


def test_seeking_decodes_little_of_a_long_video(folder: Path) -> None:
    """Ten hours, a frame in ten seconds: the reader sees at most one group for each it is asked."""
    times = tuple(range(0, 36_000_000, 10_000))
    path = stored(folder, encoded_video("mp4", "mpeg4", times, group=12), "long")
    info = probe(path, "film")
    assert len(info.segments) == MAX_FRAMES
    assert info.segments[1].start == pytest.approx(600_000, abs=500)
    assert info.segments[-1].label.startswith("589:")
    reader = Counting(path, "film")
    for part in info.segments:
        assert number_of(reader.frame_at(part.start)) == shown(times, part.start)
    assert reader.decoded <= 13 * MAX_FRAMES


def test_a_video_that_was_held_upright_is_upright(folder: Path) -> None:
    path = stored(folder, turned(film("mp4", "libx264")), "turned")
    info = probe(path, "film")
    assert (info.width, info.height) == (96, 192)
    pixels = VideoReader(path, "film").frame_at(0)
    floor = pixels[:, :, 2].astype(int) - pixels[:, :, 0]  # what was below is on the left
    assert floor[:, :40].mean() > 150
    assert floor[:, 56:].mean() < 50


def test_the_sound_is_clips_behind_the_frames(folder: Path) -> None:
    short = probe(stored(folder, film("mp4", "libx264", EVEN, 2.0), "short"), "film")
    assert [part.kind for part in short.segments] == ["image"] * 8 + ["audio"]
    assert short.segments[-1].length == pytest.approx(32_000, abs=3000)
    frames = tuple(range(0, 40_000, 500))
    long = probe(stored(folder, film("mp4", "mpeg4", frames, 40.0), "forty"), "film")
    assert [part.kind for part in long.segments] == ["image"] * 40 + ["audio"] * 2


def test_a_small_picture_of_it_is_one_of_its_frames(folder: Path) -> None:
    small = preview(stored(folder, film("mp4", "libx264"), "small"), "film")
    assert (small.width, small.height) == (48, 24)
    pixels = np.frombuffer(bytes.fromhex(small.rgb), np.uint8).reshape(24, 48, 3)
    assert number_of(pixels) == shown(EVEN, 8000 // 3)


@formats
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(
    folder: Path, muxer: str, encoder: str, share: float
) -> None:
    data = film(muxer, encoder)
    path = stored(folder, data[: max(1, int(share * len(data)))], "cut")
    with pytest.raises(AttachmentError) as caught:
        probe(path, "film")
    assert caught.value.hint


def test_a_file_whose_index_comes_first_and_that_is_cut_off_is_refused(folder: Path) -> None:
    data = encoded_video("mp4", "libx264", EVEN, options={"movflags": "faststart"})
    assert data.index(b"moov") < data.index(b"mdat")
    path = stored(folder, data[: len(data) * 3 // 4], "cut")
    with pytest.raises(DamagedFileError, match="cut off"):
        probe(path, "film")


def test_a_video_without_frames_is_refused(folder: Path) -> None:
    path = stored(folder, encoded_video("matroska", "mpeg4", ()), "none")
    with pytest.raises(AttachmentError):
        probe(path, "film")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(FORMATS),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_damage_is_never_anything_but_an_error_about_the_file(
    folder: Path, kind: tuple[str, str], changes: list[tuple[float, int]]
) -> None:
    data = bytearray(film(*kind))
    for place, value in changes:
        data[min(int(place * len(data)), len(data) - 1)] = value
    path = stored(folder, bytes(data), "damaged")
    try:
        info = probe(path, "film")
        for part in info.segments:
            if part.kind == "image":
                picture_pixels(path, "film", 70, part.start)
    except AttachmentError:
        return
    assert info.media_type


@given(milliseconds=st.integers(1, 10**8), rate=st.sampled_from((10.0, 2.0, 1.0, 0.5, 0.2, 0.01)))
def test_frames_begin_at_the_beginning_and_never_lie_behind_the_end(
    milliseconds: int, rate: float
) -> None:
    times = [part.start for part in frame_segments(milliseconds, rate)]
    assert times[0] == 0
    assert 1 <= len(times) <= MAX_FRAMES
    assert times == sorted(set(times)) or milliseconds < MAX_FRAMES
    assert times[-1] < milliseconds
    if len(times) < MAX_FRAMES:
        assert times == [int(place * 1000 / rate) for place in range(len(times))]
        assert milliseconds <= 1000 * len(times) / rate + 1
    else:
        apart = {after - before for before, after in pairwise(times)}
        assert max(apart) - min(apart) <= 1


def test_minutes_have_no_upper_end() -> None:
    assert [time_stamp(t) for t in (0, 999, 59_999, 60_000, 3_600_000, 36_000_000)] == [
        *("00:00", "00:00", "00:59", "01:00", "60:00", "600:00")
    ]
