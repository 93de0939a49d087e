"""Resizing on several threads."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from gemma_tui.preprocessing.resizing import resize


@given(st.integers(1, 700), st.integers(1, 700), st.integers(1, 800), st.integers(1, 800))
@example(600, 500, 336, 288)
@example(700, 500, 96, 48)
@example(500, 700, 480, 48)
@example(100, 701, 90, 90)
@settings(max_examples=60)
def test_resizing_is_pillows_bit_for_bit(width: int, height: int, wide: int, high: int) -> None:
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    picture = Image.fromarray(noise)
    expected = picture.resize((wide, high), Image.Resampling.BICUBIC)
    assert resize(picture, (wide, high)).tobytes() == expected.tobytes()


def test_so_is_a_picture_of_many_strips() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2_500, 5_000, 3), np.uint8)
    picture = Image.fromarray(noise)
    expected = picture.resize((2_400, 1_200), Image.Resampling.BICUBIC)
    assert resize(picture, (2_400, 1_200)).tobytes() == expected.tobytes()


def test_grey_is_resized_to_the_same_as_three_equal_channels() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (700, 900), np.uint8)
    grey = Image.fromarray(noise)
    coloured = resize(grey.convert("RGB"), (480, 336))
    assert resize(grey, (480, 336)).convert("RGB").tobytes() == coloured.tobytes()
