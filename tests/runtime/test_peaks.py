"""Estimates of memory against what is really taken, for every size, as it runs without a GPU.

Each is measured in a process of its own: what other tests hold or let go is not in it.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from gemma_tui.runtime.gemma4.layers import on_cpu
from tests.golden import sizes
from tests.runtime.peaks import peaks_of, picture_peak
from tests.runtime.test_sizes import model_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTEXTS = (1536, 2304, 3072)


@pytest.fixture
def apart() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as made:
        yield made


@pytest.fixture(params=["built-in", *sizes.CONFIGS])
def folder(request: pytest.FixtureRequest, tiny_model: Path, tmp_path: Path) -> Path:
    size: str = request.param
    return tiny_model if size == "built-in" else model_folder(size, tmp_path / size, tiny_model)


@pytest.mark.skipif(not on_cpu(), reason="the figures for a GPU are other ones")
def test_estimates_are_within_a_tenth_of_measured_peaks(
    folder: Path, apart: ProcessPoolExecutor
) -> None:
    peaks = apart.submit(peaks_of, folder, CONTEXTS).result()
    assert [0.9 < peak.ratio < 1.1 for peak in peaks] == [True] * 3, peaks


@pytest.mark.skipif(not on_cpu(), reason="the figures for a GPU are other ones")
def test_estimates_of_a_picture_are_near_what_is_really_taken(
    folder: Path, apart: ProcessPoolExecutor
) -> None:
    taken, estimate, outside = apart.submit(picture_peak, folder).result()
    assert 0.95 * taken < estimate < 1.1 * taken + outside
