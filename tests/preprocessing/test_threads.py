"""Sharing work between threads."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.preprocessing.threads import Part, share


@given(st.integers(0, 500), st.integers(1, 100))
def test_every_row_is_done_once(length: int, most: int) -> None:
    done: list[Part] = []
    share(done.append, length, most=most)
    assert all(0 < stop - start <= most for start, stop in done)
    assert sorted(row for part in done for row in range(*part)) == list(range(length))


def test_parts_go_on_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    together = threading.Barrier(2)

    def wait_for_the_other(_part: Part) -> None:
        together.wait(timeout=60)

    share(wait_for_the_other, 2, most=1)
    assert not together.broken


def test_an_error_of_any_part_is_the_callers() -> None:
    def fail_at_the_end(part: Part) -> None:
        if part[1] == 8:
            raise ValueError("the last one")

    with pytest.raises(ValueError, match="the last one"):
        share(fail_at_the_end, 8, most=1)
