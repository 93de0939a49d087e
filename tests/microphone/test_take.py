"""What is shown of a recording: levels that fall slowly, clips, and what is wrong."""

from __future__ import annotations

from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.microphone.interface import Level
from gemma_tui.microphone.level import SILENCE_DB, decibels, measure
from gemma_tui.microphone.take import CLIP_SECONDS, FALL_DB, PAUSE_SECONDS, Take

STEP = 1 / 15


def heard(*parts: tuple[float, float]) -> Take:
    """A take that heard these amplitudes for so many seconds each."""
    take, count = Take(), 0
    for amplitude, seconds in parts:
        for _ in range(round(seconds / STEP)):
            count += 1
            take = take.after(Level(count * STEP, amplitude, amplitude / 3))
    return take


@pytest.mark.parametrize(
    ("values", "peak", "loudness"),
    [([], 0, 0), ([0, 0], 0, 0), ([-32768], 1, 1), ([16384, -16384], 0.5, 0.5)],
)
def test_levels_of_samples(values: list[int], peak: float, loudness: float) -> None:
    assert measure(array("h", values).tobytes()) == (peak, loudness)


def test_decibels_are_of_full_scale() -> None:
    assert decibels(1) == 0
    assert decibels(0.1) == pytest.approx(-20)
    assert decibels(0) == decibels(1e-9) == SILENCE_DB


def test_a_peak_rises_at_once_and_falls_slowly() -> None:
    loud = heard((0.01, 1), (0.5, STEP))
    assert loud.peak == pytest.approx(decibels(0.5))
    later = loud.after(Level(loud.seconds + 1, 0.001, 0.0003))
    assert later.peak == pytest.approx(loud.peak - FALL_DB)
    assert later.loudness == pytest.approx(loud.loudness - FALL_DB)


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (((0.0, 0.4),), ""),
        (((0.0, 0.6),), "silent"),
        (((0.3, 1), (0.0, 1)), ""),
        (((0.3, 1), (0.0, 2.1)), "silent"),
        (((0.0, 2), (0.3, STEP)), ""),
        (((0.3, 1), (1.0, STEP), (0.3, 1)), "clipping"),
        (((1.0, STEP), (0.3, 2.1)), ""),
        (((0.005, 2),), ""),
        (((0.005, 4),), "faint"),
        (((0.3, 1), (0.005, 9)), ""),
    ],
)
def test_what_is_wrong(parts: tuple[tuple[float, float], ...], fault: str) -> None:
    assert heard(*parts).fault == fault


def test_a_take_of_zeros_is_silent_until_something_is_heard() -> None:
    assert heard((0.0, 5)).is_silent
    assert not heard((0.0, 5), (0.001, STEP)).is_silent


def test_the_next_clip_begins_at_the_pause_near_the_end() -> None:
    take = heard((0.3, 24), (0.01, 0.5), (0.3, 6))
    assert take.clip == 2
    assert 24 < take.clip_starts[1] <= 24.6
    assert take.clip_left == pytest.approx(CLIP_SECONDS - (take.seconds - take.clip_starts[1]))


def test_a_pause_too_early_is_no_place_to_cut() -> None:
    take = heard((0.3, 10), (0.0, 1), (0.3, 19))
    assert take.clip_starts[1] > CLIP_SECONDS - PAUSE_SECONDS


@given(st.lists(st.floats(0, 1), min_size=1, max_size=900))
def test_no_clip_is_longer_than_a_model_hears(amplitudes: list[float]) -> None:
    take = Take()
    for number, amplitude in enumerate(amplitudes, 1):
        take = take.after(Level(number * 0.1, amplitude, amplitude / 2))
        assert SILENCE_DB <= take.loudness <= 0
        assert 0 <= take.clip_left <= CLIP_SECONDS
    for begin, end in pairwise((*take.clip_starts, take.seconds)):
        assert 0 <= end - begin <= CLIP_SECONDS + 0.1
