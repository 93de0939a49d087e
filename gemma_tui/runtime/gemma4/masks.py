"""Which keys a query sees where pictures are seen both ways; elsewhere mlx-lm's masks are right.

Also says which stretches of a prompt must reach the decoder whole: a picture of which only the
first half is known cannot be looked at both ways.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def picture_runs(ids: Sequence[int], placeholders: Collection[int]) -> tuple[tuple[int, int], ...]:
    """Start and stop of each picture in a prompt: the runs of placeholders, in order.

    Args:
        ids: Token ids.
        placeholders: Those of pictures.
    """
    runs, start = [], 0
    for is_picture, group in groupby(ids, lambda token: token in placeholders):
        stop = start + sum(1 for _ in group)
        if is_picture:
            runs.append((start, stop))
        start = stop
    return tuple(runs)


def same_picture(ids: mx.array, placeholders: tuple[int, ...]) -> mx.array:
    """Which tokens belong to one picture.

    Source: `get_block_sequence_ids_for_mask` and `blockwise_overlay` of the reference.

    Args:
        ids: [1, length], integers.
        placeholders: Ids of which a run is one picture.

    Returns:
        [length, length] booleans: query and key are in the same picture.
    """
    is_picture = mx.any(ids[0][:, None] == mx.array(placeholders), axis=-1)
    starts = is_picture & ~mx.pad(is_picture[:-1], (1, 0))
    number = mx.where(is_picture, mx.cumsum(starts.astype(mx.int32)), 0)
    return (number[:, None] == number[None]) & is_picture[:, None]


def see_pictures_both_ways(mask: mx.array, same: mx.array, *, within_window: bool) -> mx.array:
    """Lay the overlay over the mask of a chunk.

    Args:
        mask: [length, keys] booleans, causal, within the window of a sliding layer; the last
            `length` keys are those of the chunk itself.
        same: [length, length], from `same_picture`.
        within_window: Keep what the window hides hidden. A window only ever hides what lies
            before a query, so the tokens of its picture that follow it are all there is to add.

    Returns:
        [length, keys] booleans.
    """
    if within_window:
        same = mx.triu(same)
    return mask | mx.pad(same, [(0, 0), (mask.shape[1] - same.shape[1], 0)])
