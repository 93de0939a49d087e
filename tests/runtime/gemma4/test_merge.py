from __future__ import annotations

import mlx.core as mx
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.runtime.gemma4.merge import SoftTokens, join_soft_tokens, scatter


def rows(count: int, first: float = 1.0) -> mx.array:
    """[count, 2], every row another."""
    return mx.repeat(mx.arange(first, first + count)[:, None], 2, axis=1)


def test_nothing_joins_to_nothing() -> None:
    assert join_soft_tokens([]) is None


def test_media_keep_their_places_and_order() -> None:
    soft = join_soft_tokens([(2, rows(2)), (7, rows(1, 9.0))])
    assert soft is not None
    assert soft.positions == (2, 3, 7)
    merged = scatter(mx.zeros((1, 9, 2)), soft)
    assert merged[0, :, 0].tolist() == [0, 0, 1, 2, 0, 0, 0, 9, 0]


def test_scattering_leaves_its_input_alone() -> None:
    hidden = mx.zeros((1, 3, 2), dtype=mx.bfloat16)
    merged = scatter(hidden, SoftTokens(rows(1), (1,)))
    assert merged.dtype == mx.bfloat16
    assert hidden.sum().item() == 0
    assert merged.sum().item() == 2


@given(
    gaps=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5)), max_size=4),
    chunk=st.integers(1, 12),
)
def test_chunks_together_are_the_whole(gaps: list[tuple[int, int]], chunk: int) -> None:
    spans, position, first = [], 0, 1.0
    for gap, count in gaps:
        spans.append((position + gap, rows(count, first)))
        position, first = position + gap + count, first + count
    length, soft = position + 3, join_soft_tokens(spans)
    whole = mx.zeros((1, length, 2))
    if soft is not None:
        whole = scatter(whole, soft)
    parts = []
    for start in range(0, length, chunk):
        stop = min(start + chunk, length)
        part, piece = mx.zeros((1, stop - start, 2)), soft and soft.slice(start, stop)
        parts.append(part if piece is None else scatter(part, piece))
    assert mx.array_equal(mx.concatenate(parts, axis=1), whole)
