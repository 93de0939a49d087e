"""Estimates of memory against what is really taken, for every size, as it runs without a GPU."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.memory_plan import Machine, embedder_bytes, vision_bytes
from gemma_tui.network_shape import TowerShape
from gemma_tui.preprocessing.patches import ImageFeatures
from gemma_tui.runtime.gemma4.layers import on_cpu
from gemma_tui.runtime.gemma4.shape import shape_of
from gemma_tui.runtime.loader import load_model
from tests.golden import sizes
from tests.runtime.peaks import measure
from tests.runtime.test_sizes import model_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTEXTS = (1536, 2304, 3072)


COLUMNS, ROWS = 60, 42
"""Patches of a picture of 280 soft tokens."""


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


@pytest.mark.skipif(not on_cpu(), reason="the figures for a GPU are other ones")
@pytest.mark.parametrize("size", ["built-in", *sizes.CONFIGS])
def test_estimates_are_within_a_tenth_of_measured_peaks(
    size: str, tiny_model: Path, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    is_builtin = size == "built-in"
    folder = tiny_model if is_builtin else model_folder(size, tmp_path / size, tiny_model)
    peaks = [measure(folder, context, pool) for context in CONTEXTS]
    assert [0.9 < peak.ratio < 1.1 for peak in peaks] == [True] * 3, peaks


@pytest.mark.skipif(not on_cpu(), reason="the figures for a GPU are other ones")
@pytest.mark.parametrize("size", ["built-in", *sizes.CONFIGS])
def test_estimates_of_a_picture_are_near_what_is_really_taken(
    size: str, tiny_model: Path, tmp_path: Path
) -> None:
    is_builtin = size == "built-in"
    folder = tiny_model if is_builtin else model_folder(size, tmp_path / size, tiny_model)
    loaded = load_model(folder, lambda *_: None)
    places = [np.tile(np.arange(COLUMNS), ROWS), np.repeat(np.arange(ROWS), COLUMNS)]
    features = ImageFeatures(
        np.zeros((COLUMNS * ROWS, 768), dtype=np.float32),
        np.stack(places, axis=1).astype(np.int32),
        (COLUMNS, ROWS),
        280,
    )
    gc.collect()  # what tests before this one left would be freed meanwhile
    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    mx.eval(loaded.model.encode_image(features))
    taken = mx.get_peak_memory() - before
    vision = shape_of(loaded.config).vision
    if isinstance(vision, TowerShape):
        # Attention is numpy's on a CPU: the scores of a block, which MLX does not count.
        outside = 2 * 512 * COLUMNS * ROWS * 4
        estimate = vision_bytes(vision, 280, Machine(4))
    else:
        assert vision is not None
        outside, estimate = 0, embedder_bytes(vision, 280, Machine(4))
    assert 0.95 * taken < estimate < 1.1 * taken + outside
