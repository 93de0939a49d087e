"""Progress with the time left, and how much is read at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.chunk_size import MAX_CHUNK, MIN_CHUNK, chunk_size
from gemma_tui.generation import PrefillProgress
from gemma_tui.runtime.prefill_progress import PrefillTimer

GIB = 2**30


def test_the_time_left_follows_from_the_speed_so_far() -> None:
    now = [10.0]
    progress = PrefillTimer(1000, 200, clock=lambda: now[0])
    assert progress.at(200) == PrefillProgress(200, 1000, 200, None)
    now[0] = 12.0
    assert progress.at(600) == PrefillProgress(600, 1000, 200, 2.0)
    now[0] = 16.0  # slower now
    assert progress.at(800) == PrefillProgress(800, 1000, 200, 2.0)
    assert progress.at(1000).seconds_left == 0


@pytest.mark.parametrize(
    ("free", "token", "size"),
    [
        (64 * GIB, 10**6, MAX_CHUNK),
        (GIB, 10**6, 256),
        (GIB, 4 * 10**6, 64),
        (10**9, 4 * 10**6, MIN_CHUNK),
        (0, 10**6, MIN_CHUNK),
        (GIB, 0, MAX_CHUNK),
    ],
)
def test_chunks_have_room(free: int, token: int, size: int) -> None:
    assert chunk_size(free_bytes=free, token_bytes=token) == size


@given(free=st.integers(0, 2**40), token=st.integers(1, 2**30))
def test_a_chunk_takes_a_quarter_of_what_is_free_or_is_the_smallest(free: int, token: int) -> None:
    size = chunk_size(free_bytes=free, token_bytes=token)
    assert size.bit_count() == 1
    assert size == MIN_CHUNK or 4 * size * token <= free
    assert size <= chunk_size(free_bytes=2 * free, token_bytes=token)
