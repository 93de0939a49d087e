"""Token arithmetic, against the reference and by its own laws."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.errors import BudgetError
from gemma_tui.preprocessing.budget import (
    MAX_CLIP_SAMPLES,
    MIN_CLIP_SAMPLES,
    TOKEN_BUDGETS,
    audio_tokens,
    check_budget,
    image_size,
    image_tokens,
    mel_frames,
    waveform_tokens,
)
from tests.golden import preprocessing_inputs as inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SIDES = st.integers(1, 100_000)
BUDGETS = st.sampled_from(TOKEN_BUDGETS)


def test_sizes_equal_the_reference(golden: Mapping[str, NDArray[Any]]) -> None:
    sizes = inputs.sizes().tolist()
    expected = (golden["resized"].astype(int) * 48).tolist()
    found = [[list(image_size(w, h, budget)) for budget in TOKEN_BUDGETS] for w, h in sizes]
    assert len(sizes) * len(TOKEN_BUDGETS) >= 2_000
    assert found == expected


def test_sizes_round_like_doubles_do() -> None:
    """sqrt(385 * 140 / 11) is exactly 70, but the reference's product stays just below."""
    assert image_size(11, 385, 140) == (96, 69 * 48)


def test_audio_tokens_equal_the_reference(golden: Mapping[str, NDArray[Any]]) -> None:
    lengths = inputs.clip_lengths()
    assert len(set(lengths)) >= 300
    assert [audio_tokens(length) for length in lengths] == golden["audio_tokens"].tolist()


def test_waveform_tokens_equal_the_reference(golden: Mapping[str, NDArray[Any]]) -> None:
    lengths = inputs.clip_lengths()
    found = [waveform_tokens(length) for length in lengths]
    assert found == np.minimum(golden["waveform_tokens"], 750).tolist()


@given(SIDES, SIDES, BUDGETS)
def test_a_picture_never_costs_more_than_its_budget(width: int, height: int, budget: int) -> None:
    new_width, new_height = image_size(width, height, budget)
    assert new_width % 48 == new_height % 48 == 0
    assert min(new_width, new_height) >= 48
    assert 1 <= image_tokens(width, height, budget) <= budget
    assert image_tokens(width, height, budget) == new_width * new_height // 48**2


@given(SIDES, SIDES, BUDGETS)
def test_a_turned_picture_costs_the_same(width: int, height: int, budget: int) -> None:
    assert image_size(width, height, budget) == image_size(height, width, budget)[::-1]


@given(st.integers(0, MAX_CLIP_SAMPLES), st.integers(0, 700))
def test_a_longer_clip_never_costs_less(length: int, more: int) -> None:
    assert mel_frames(length) <= mel_frames(length + more)
    assert 0 <= audio_tokens(length + more) - audio_tokens(length) <= 2


def test_the_shortest_and_the_longest_clip() -> None:
    assert (mel_frames(MIN_CLIP_SAMPLES), audio_tokens(MIN_CLIP_SAMPLES)) == (1, 1)
    assert (mel_frames(MAX_CLIP_SAMPLES), audio_tokens(MAX_CLIP_SAMPLES)) == (2_999, 750)
    assert audio_tokens(0) == 0
    assert [waveform_tokens(count) for count in (0, 1, 640, 641)] == [0, 1, 1, 2]
    assert waveform_tokens(MAX_CLIP_SAMPLES) == 750


@given(st.integers(MIN_CLIP_SAMPLES, MAX_CLIP_SAMPLES))
def test_12b_hears_the_end_of_a_clip_that_a_tower_drops(length: int) -> None:
    assert 0 <= waveform_tokens(length) - audio_tokens(length) <= 1


@pytest.mark.parametrize("budget", [0, -70, 71, 281, 10_000])
def test_other_budgets_are_refused(budget: int) -> None:
    with pytest.raises(BudgetError, match=r"70, 140, 280, 560 or 1120"):
        check_budget(budget)
    with pytest.raises(BudgetError):
        image_tokens(100, 100, budget)


def test_a_picture_has_a_size() -> None:
    with pytest.raises(ValueError, match="0 x 5"):
        image_size(0, 5, 70)


def test_it_loads_no_arrays() -> None:
    """The screen imports it, and must not pay for numpy, Pillow or av."""
    code = (
        "import sys, gemma_tui.preprocessing.budget\n"
        "assert not {'numpy', 'PIL', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
