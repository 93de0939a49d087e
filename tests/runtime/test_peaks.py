"""Estimates of memory against what is really taken, for every size, as it runs without a GPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gemma_tui.runtime.gemma4.layers import on_cpu
from tests.golden import sizes
from tests.runtime.peaks import measure
from tests.runtime.test_sizes import model_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTEXTS = (1536, 2304, 3072)


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
