"""Soft tokens: what the towers made of pictures and sounds, and where it goes in the prompt.

Knows positions and embeddings only; which media they came from is the prompt's business.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class SoftTokens:
    """Embeddings that replace those of the placeholders in one stretch of a prompt."""

    embeddings: mx.array
    """[count, hidden], already in the decoder's width and scale."""
    positions: tuple[int, ...]
    """The place of each row in that stretch, ascending, counted from its first token."""

    def slice(self, start: int, stop: int) -> SoftTokens | None:
        """The part that falls into tokens `start` to `stop`, with positions counted from `start`.

        None when nothing falls there, so that a chunk of mere text needs no scatter.
        """
        first = bisect_left(self.positions, start)
        last = bisect_left(self.positions, stop)
        if first == last:
            return None
        moved = tuple(position - start for position in self.positions[first:last])
        return SoftTokens(self.embeddings[first:last], moved)


def join_soft_tokens(spans: Sequence[tuple[int, mx.array]]) -> SoftTokens | None:
    """Lay the soft tokens of several media into one prompt.

    Args:
        spans: For each medium, in the order of the prompt, the position of its first placeholder
            and its soft tokens [count, hidden].

    Returns:
        All of them together, or None when there are none.
    """
    if not spans:
        return None
    positions = [
        position
        for start, embeddings in spans
        for position in range(start, start + embeddings.shape[0])
    ]
    return SoftTokens(mx.concatenate([embeddings for _, embeddings in spans]), tuple(positions))


def scatter(hidden: mx.array, soft: SoftTokens) -> mx.array:
    """Put soft tokens in their places.

    Args:
        hidden: [1, length, hidden], scaled token embeddings.
        soft: Rows for positions below `length`.

    Returns:
        [1, length, hidden] in the type of `hidden`.
    """
    rows = soft.embeddings.astype(hidden.dtype)
    merged = mx.array(hidden)
    merged[0, mx.array(soft.positions)] = rows
    return merged
