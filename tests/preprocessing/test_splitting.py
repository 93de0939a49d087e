"""Long sound: clips are cut at pauses, nothing is lost between them, any of them is sought."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gemma_tui.errors import DamagedFileError
from gemma_tui.preprocessing.audio import audio_features
from gemma_tui.preprocessing.budget import MAX_CLIP_SAMPLES, SAMPLE_RATE
from gemma_tui.preprocessing.formats import format_of
from gemma_tui.preprocessing.overview import WHOLE_SECONDS
from gemma_tui.preprocessing.preview import preview
from gemma_tui.preprocessing.probe import probe
from gemma_tui.preprocessing.sound_stream import decode_range, stream_samples
from gemma_tui.preprocessing.splitting import (
    MAX_SPLIT_SAMPLES,
    OVERLAP_SAMPLES,
    find_clip,
    find_clips,
)
from tests.preprocessing.sounds import COMPRESSED, PLAIN, encoded, tone, wav

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gemma_tui.conversation import Segment
    from gemma_tui.generation import MediaInfo


def speech(*seconds: float, pause: float = 0.4) -> NDArray[np.float64]:
    """Tones of some lengths with pauses between them."""
    silence = np.zeros(round(pause * SAMPLE_RATE))
    pieces = [piece for length in seconds for piece in (silence, tone(length))]
    return np.concatenate(pieces[1:])


def probed(path: Path, content: bytes) -> MediaInfo:
    path.write_bytes(content)
    return probe(path, path.name)


def split(content: bytes) -> tuple[int, tuple[Segment, ...]]:
    file = io.BytesIO(content)
    return find_clips(file, format_of(file, "a"), "a")


def test_up_to_30_seconds_are_one_medium(tmp_path: Path) -> None:
    info = probed(tmp_path / "a.wav", wav(tone(30)))
    assert (info.sample_count, info.segments) == (MAX_CLIP_SAMPLES, ())


def test_cuts_are_in_pauses_and_nothing_is_lost(tmp_path: Path) -> None:
    lengths = (9, 8, 11, 7, 12, 6, 10, 9, 8)
    count, segments = split(wav(speech(*lengths)))
    assert probed(tmp_path / "a.wav", wav(speech(*lengths))).sample_count == count
    ends = np.cumsum([length + 0.4 for length in lengths]) - 0.4
    assert segments[0].start == 0
    for one, two in pairwise(segments):
        assert one.length <= MAX_SPLIT_SAMPLES
        cut = one.start + one.length
        assert two.start == cut
        distance = cut / SAMPLE_RATE - ends
        assert ((distance > 0) & (distance < 0.4)).any()
    last = segments[-1]
    assert last.length <= MAX_CLIP_SAMPLES
    assert last.start + last.length == count == round((80 + 8 * 0.4) * SAMPLE_RATE)


def test_a_longer_pause_is_preferred() -> None:
    sound = np.concatenate([speech(16, 4), np.zeros(SAMPLE_RATE), speech(3, 9, 9)])
    first = split(wav(sound))[1][0]
    assert 20.4 < first.length / SAMPLE_RATE < 21.4


def test_without_a_pause_clips_overlap() -> None:
    _, clips = split(wav(tone(70)))
    step = MAX_SPLIT_SAMPLES - OVERLAP_SAMPLES
    assert [clip.start for clip in clips] == [0, step, 2 * step]
    assert clips[0].length == MAX_SPLIT_SAMPLES
    assert clips[-1].start + clips[-1].length == 70 * SAMPLE_RATE


def test_silence_is_cut_without_overlap() -> None:
    _, clips = split(wav(np.zeros(70 * SAMPLE_RATE)))
    assert [clip.start for clip in clips] == [0, MAX_SPLIT_SAMPLES, 2 * MAX_SPLIT_SAMPLES]


def test_a_cut_off_long_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match=r"is cut off: it ends after"):
        probed(tmp_path / "a.wav", wav(tone(40))[:-60_000])


def test_a_clip_is_found_from_where_it_begins() -> None:
    file = io.BytesIO(wav(speech(9, 8, 11, 7, 12, 6, 10)))
    file_format = format_of(file, "a")
    count, clips = find_clips(file, file_format, "a")
    second = find_clip(file, file_format, "a", clips[1].start)
    assert (second.start, second.length) == (clips[1].start, clips[1].length)
    assert second.next_start == clips[2].start
    last = find_clip(file, file_format, "a", clips[-1].start)
    assert last.is_last
    assert last.stop == count


def test_a_range_ends_where_it_was_asked_to() -> None:
    file = io.BytesIO(wav(tone(70)))
    clip = find_clip(file, format_of(file, "a"), "a", 5 * SAMPLE_RATE, 17 * SAMPLE_RATE)
    assert (clip.start, clip.stop, clip.is_last) == (5 * SAMPLE_RATE, 17 * SAMPLE_RATE, True)


def test_silence_is_told_from_sound() -> None:
    file = io.BytesIO(wav(np.concatenate([np.zeros(29 * SAMPLE_RATE), tone(20)])))
    found = [
        find_clip(file, format_of(file, "a"), "a", start, start + 10 * SAMPLE_RATE).is_silent
        for start in (0, 30 * SAMPLE_RATE)
    ]
    assert found == [True, False]


@pytest.mark.parametrize("start", [12 * SAMPLE_RATE, 33 * SAMPLE_RATE + 12_345])
@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize(("muxer", "encoder"), [("wav", "pcm_s16le"), ("flac", "flac")])
def test_a_late_clip_has_the_samples_of_the_whole(
    muxer: str, encoder: str, rate: int, start: int
) -> None:
    """Sought or decoded from the beginning: the same numbers, resampled ones too."""
    noise = np.random.default_rng(5).normal(0, 0.1, 40 * rate).clip(-1, 1)
    file = io.BytesIO(encoded(noise, muxer, encoder, rate))
    file_format = format_of(file, "a")
    whole = np.concatenate(list(stream_samples(file, file_format, "a")))
    clip = decode_range(file, file_format, "a", start, 3 * SAMPLE_RATE)
    np.testing.assert_array_equal(clip, whole[start : start + clip.size])


@pytest.mark.parametrize(
    ("muxer", "encoder", "rate"),
    [("mp3", "libmp3lame", 44_100), ("ipod", "aac", 44_100), ("ogg", "libopus", 48_000)],
)
def test_a_late_clip_of_a_lossy_coding_stands_where_it_should(
    muxer: str, encoder: str, rate: int
) -> None:
    """Within one frame of the coding, 26 ms."""
    noise = np.random.default_rng(5).normal(0, 0.1, 60 * rate)
    file = io.BytesIO(encoded(noise, muxer, encoder, rate))
    file_format = format_of(file, "a")
    whole = np.concatenate(list(stream_samples(file, file_format, "a")))
    start = 50 * SAMPLE_RATE
    clip = decode_range(file, file_format, "a", start, SAMPLE_RATE)
    like = np.correlate(whole[start - 2_000 : start + SAMPLE_RATE + 2_000], clip)
    assert abs(int(like.argmax()) - 2_000) <= 430
    assert like.max() > 0.95 * float(clip @ clip)


def test_silence_around_what_is_heard_is_known() -> None:
    sound = np.concatenate([np.zeros(5 * SAMPLE_RATE), tone(3), np.zeros(7 * SAMPLE_RATE)])
    file = io.BytesIO(wav(np.concatenate([tone(1), sound])))
    clip = find_clip(file, format_of(file, "a"), "a", SAMPLE_RATE)
    assert clip.heard_start / SAMPLE_RATE == pytest.approx(5.75, abs=0.03)
    assert clip.heard_stop / SAMPLE_RATE == pytest.approx(9.25, abs=0.03)


def test_a_pause_is_in_the_second_half_if_its_middle_is() -> None:
    sound = np.concatenate([tone(12), np.zeros(8 * SAMPLE_RATE), speech(7, 9, 9)])
    _, clips = split(wav(sound))
    assert clips[0].length / SAMPLE_RATE == pytest.approx(16, abs=0.03)


def test_a_range_of_plain_samples_is_exact() -> None:
    sound = tone(40) * np.linspace(0, 1, 40 * SAMPLE_RATE)
    file = io.BytesIO(wav(sound))
    clip = decode_range(file, format_of(file, "a"), "a", 12_345, 50_000)
    expected = (sound[12_345:62_345] * 32767).astype("<i2").astype(np.float32) / 32768
    np.testing.assert_array_equal(clip, expected)


@pytest.mark.parametrize(("muxer", "encoder", "rate", "_type"), COMPRESSED + PLAIN)
def test_a_range_is_found_in_every_format(muxer: str, encoder: str, rate: int, _type: str) -> None:
    """A short tone at 20.5 s stands where it should, as far as a lossy coding keeps time."""
    sound = np.zeros(32 * rate)
    sound[round(20.5 * rate) : 21 * rate] = tone(0.5, rate)
    file = io.BytesIO(encoded(sound, muxer, encoder, rate))
    clip = decode_range(file, format_of(file, "a"), "a", 20 * SAMPLE_RATE, 2 * SAMPLE_RATE)
    loud = np.flatnonzero(np.abs(clip) > 0.1)
    assert loud[0] / SAMPLE_RATE == pytest.approx(0.5, abs=0.07)
    assert loud[-1] / SAMPLE_RATE == pytest.approx(1.0, abs=0.07)


def test_a_clip_beyond_the_end_is_named() -> None:
    file = io.BytesIO(wav(tone(1)))
    with pytest.raises(DamagedFileError, match=r"ends before 5\.0 s"):
        decode_range(file, format_of(file, "a"), "“a”", 5 * SAMPLE_RATE, 1_000)


def test_features_of_a_segment_are_those_of_the_same_clip(tmp_path: Path) -> None:
    sound = tone(40) * np.linspace(0, 1, 40 * SAMPLE_RATE)
    (tmp_path / "whole.wav").write_bytes(wav(sound))
    (tmp_path / "clip.wav").write_bytes(wav(sound[160_000:320_000]))
    clip = audio_features(tmp_path / "clip.wav", "clip")
    segment = audio_features(tmp_path / "whole.wav", "whole", 160_000, 160_000)
    np.testing.assert_array_equal(segment.input_features, clip.input_features)
    np.testing.assert_array_equal(segment.waveform, clip.waveform)
    assert segment.token_count == clip.token_count == 250


def test_a_long_sound_has_a_preview(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(np.concatenate([np.zeros(20 * 16_000), tone(20)])))
    levels = preview(tmp_path / "a.wav", "a").levels
    assert len(levels) == 48
    assert max(levels[:23]) == 0
    assert min(levels[25:]) > 30


def test_hours_are_heard_at_places_for_a_preview(tmp_path: Path) -> None:
    """Loud in its second quarter only; more than is heard from beginning to end."""
    quarter = (WHOLE_SECONDS + 200) * 8_000 // 4
    silence, loud = np.zeros(quarter), np.tile(tone(1, 8_000), quarter // 8_000)
    sound = np.concatenate([silence, loud, silence, silence])
    (tmp_path / "a.wav").write_bytes(wav(sound, rate=8_000))
    levels = preview(tmp_path / "a.wav", "a").levels
    assert len(levels) == 48
    assert max(levels[:12] + levels[24:]) == 0
    assert min(levels[12:24]) > 30
