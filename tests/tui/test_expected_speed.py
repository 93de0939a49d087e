"""What the models screen says of the catalogue: what fits, and how fast it will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gemma_tui.bench.saved import SavedBenchmarks
from gemma_tui.engine.interface import ComputeDevice
from gemma_tui.tui.offered_models import OfferedModels
from tests.benchmark.runs import run_of

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.tui.model_rows import ModelRow

E2B = "mlx-community/gemma-4-e2b-it-4bit"
MIDDLE = "mlx-community/gemma-4-12B-it-4bit"
LARGE = "mlx-community/gemma-4-31b-it-8bit"
DEVICE = ComputeDevice("Apple M4", has_gpu=True, free_bytes=16_000_000_000)


@pytest.fixture
def saved(tmp_path: Path) -> SavedBenchmarks:
    return SavedBenchmarks(tmp_path / "benchmarks.json")


@pytest.fixture
def offered(
    tmp_path: Path, saved: SavedBenchmarks, monkeypatch: pytest.MonkeyPatch
) -> OfferedModels:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return OfferedModels(tmp_path, tmp_path / "models", saved)


def judged(offered: OfferedModels) -> dict[str, ModelRow]:
    """Rows of the catalogue by their repository."""
    return {row.repo: row for row in offered.judged(offered.find(), DEVICE, 0.0) if row.repo}


def test_every_variant_has_a_verdict_with_figures(offered: OfferedModels) -> None:
    rows = judged(offered)
    small, large = rows[E2B].fit, rows[LARGE].fit
    assert small is not None
    assert large is not None
    assert (small.verdict, large.verdict) == ("fits", "no")
    assert "16.0 GB are free" in small.sentence
    assert rows[E2B].speed == ""


def test_speeds_are_expected_from_what_was_measured(
    offered: OfferedModels, saved: SavedBenchmarks
) -> None:
    saved.add(run_of())
    rows = judged(offered)
    assert rows[E2B].speed == "45"
    # Half of 117 GB/s, as E2B reached, read 6.67 GB for every token.
    assert (rows[MIDDLE].speed, rows[LARGE].speed) == ("8.8", "")
    saved.add(run_of("Gemma 4 12B", contexts=()))
    assert judged(offered)[E2B].speed == "45"
