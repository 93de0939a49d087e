"""Benchmarks are kept in a file that is small, whole, and never in the way."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.bench.saved import MAX_RUNS, SavedBenchmarks
from gemma_tui.errors import StorageError
from tests.benchmark.runs import run_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "benchmarks.json"


def test_runs_come_back_as_they_were_the_newest_first(path: Path) -> None:
    saved = SavedBenchmarks(path)
    assert saved.read() == ()
    one, other = run_of(), run_of("Gemma 4 12B", picture=None)
    saved.add(one)
    saved.add(other)
    assert SavedBenchmarks(path).read() == (other, one)
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o077 == 0


def test_a_model_has_one_run_and_other_bits_are_another_model(path: Path) -> None:
    saved = SavedBenchmarks(path)
    for run in (run_of(), run_of(load_seconds=1.0), run_of(weight_bytes=5_900_000_000)):
        saved.add(run)
    assert [(run.weight_bytes, run.load_seconds) for run in saved.read()] == [
        (5_900_000_000, 2.5),
        (3_580_000_000, 1.0),
    ]


def test_the_oldest_go(path: Path) -> None:
    saved = SavedBenchmarks(path)
    for number in range(MAX_RUNS + 3):
        saved.add(run_of(f"model {number}"))
    names = [run.model for run in saved.read()]
    assert names == [f"model {number}" for number in range(MAX_RUNS + 2, 2, -1)]
    assert path.stat().st_size < 100_000


def test_speeds_are_what_others_expect_by(path: Path) -> None:
    saved = SavedBenchmarks(path)
    silent = run_of("no reply", contexts=())
    cached = run_of("in the processor's cache", bandwidth=1e9)
    for run in (silent, cached, run_of()):
        saved.add(run)
    first, second = saved.speeds()
    assert (first.name, first.tokens_per_second, first.share) == ("Gemma 4 E2B", 45.0, 0.5)
    assert (second.name, second.share) == ("in the processor's cache", 0.0)


def test_a_prompt_takes_as_long_as_the_longest_that_was_measured(path: Path) -> None:
    saved = SavedBenchmarks(path)
    assert (saved.prefill_speed("Gemma 4 E2B"), saved.bandwidth()) == (0.0, 0.0)
    saved.add(run_of())
    saved.add(run_of("Gemma 4 12B", bandwidth=118e9))
    assert (saved.prefill_speed("Gemma 4 E2B"), saved.bandwidth()) == (1500.0, 118e9)
    assert saved.prefill_speed("Gemma 4 31B") == 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"runs": 7},
        {"runs": [7]},
        {"runs": [{"model": "half"}]},
    ],
)
def test_a_file_of_another_kind_says_nothing(path: Path, change: dict[str, Any]) -> None:
    saved = SavedBenchmarks(path)
    saved.add(run_of())
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert saved.read() == ()
    assert saved.speeds() == ()


@pytest.mark.parametrize("name", ["weight_bytes", "model"])
@pytest.mark.parametrize("value", [None, "x" * 201, [], {}, -1, 1e300])
def test_a_field_of_another_type_says_nothing(path: Path, name: str, value: object) -> None:
    saved = SavedBenchmarks(path)
    saved.add(run_of())
    content = json.loads(path.read_text())
    content["runs"][0][name] = value
    path.write_text(json.dumps(content))
    assert saved.read() == ()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"null"])
def test_a_damaged_file_says_nothing_and_is_replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    saved = SavedBenchmarks(path)
    assert saved.read() == ()
    saved.add(run_of())
    assert saved.read() == (run_of(),)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(StorageError, match="benchmarks"):
        SavedBenchmarks(path).add(run_of())


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StorageError):
        SavedBenchmarks(tmp_path / "data" / "benchmarks.json").add(run_of())
