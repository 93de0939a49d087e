"""Drawing the next token from logits, entirely as lazy mlx arrays.

Knows nothing of models or text. Its random state is its own: nothing global is read or changed.
"""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Final

import mlx.core as mx

from gemma_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gemma_tui.generation import SamplingOptions


_COLDEST: Final = 1e-5
"""Below this the best token always wins, and the quotients leave the range of float32."""


def check_sampling(options: SamplingOptions) -> None:
    """Refuse what cannot be drawn from.

    Raises:
        UsageError: An option is outside its range.
    """
    if not (math.isfinite(options.temperature) and options.temperature >= 0):
        raise UsageError(f"A temperature of {options.temperature} is not 0 or more.", "Try 1.0.")
    if options.top_k < 0:
        raise UsageError(f"A top-k of {options.top_k} is not 0 or more.", "0 allows every token.")
    if not 0 < options.top_p <= 1:
        raise UsageError(f"A top-p of {options.top_p} is not above 0 and at most 1.", "Try 0.95.")


def make_sampler(
    options: SamplingOptions, *, suppressed: Collection[int] = ()
) -> Callable[[mx.array], mx.array]:
    """A function from logits `[1, V]` (any float type) to token ids `[1]` (uint32).

    Nothing is evaluated: calls can run one token ahead under `mx.async_eval`. Make it and call it
    on the thread that evaluates.

    Args:
        options: How to draw. Without a seed every sampler draws differently.
        suppressed: Ids below V that are never drawn.

    Raises:
        UsageError: An option is outside its range.
    """
    check_sampling(options)
    seed = secrets.randbits(64) if options.seed is None else options.seed % 2**64
    key = mx.random.key(seed)
    banned = mx.array(sorted(suppressed), dtype=mx.uint32)[None]

    def sample(logits: mx.array) -> mx.array:
        nonlocal key
        scores = logits.astype(mx.float32)
        if banned.size:
            scores = mx.put_along_axis(scores, banned, mx.array(-math.inf), axis=-1)
        if options.temperature < _COLDEST:
            return mx.argmax(scores, axis=-1)
        scores, ids = keep_likely(scores / options.temperature, options.top_k, options.top_p)
        key, step_key = mx.random.split(key)
        choice = mx.random.categorical(scores, key=step_key)
        return mx.take_along_axis(ids, choice[:, None], axis=-1).squeeze(-1)

    return sample


def keep_likely(scores: mx.array, top_k: int, top_p: float) -> tuple[mx.array, mx.array]:
    """Drop unlikely tokens: first all but the best `top_k`, then the tail beyond `top_p`.

    The order of the filters and their edges are those of transformers' `TopKLogitsWarper` and
    `TopPLogitsWarper`: the token that crosses `top_p` stays, the best one always does. Only ties
    with the k-th token differ: exactly k stay.

    Args:
        scores: Float32 logits `[1, V]`, already divided by the temperature.
        top_k: How many tokens stay; 0 keeps all.
        top_p: The probability that the kept tokens reach together; 1 keeps all.

    Returns:
        Scores and token ids `[1, n]` of the n tokens looked at; dropped ones score -inf.
    """
    size = scores.shape[-1]
    ids = mx.arange(size, dtype=mx.uint32)[None]
    if 0 < top_k < size:
        # Selecting before sorting: a sort of 262,144 logits costs more than a small model's step.
        ids = mx.argpartition(-scores, top_k - 1, axis=-1)[:, :top_k]
        scores = mx.take_along_axis(scores, ids, axis=-1)
    if top_p < 1:
        order = mx.argsort(-scores, axis=-1)
        ids = mx.take_along_axis(ids, order, axis=-1)
        scores = mx.take_along_axis(scores, order, axis=-1)
        likelihood = mx.softmax(scores, axis=-1)
        before = mx.cumsum(likelihood, axis=-1) - likelihood
        # The first entry of `before` is 0 up to rounding, and top_p may be tiny.
        keep = (before < top_p) | (mx.arange(scores.shape[-1]) == 0)
        scores = mx.where(keep, scores, -math.inf)
    return scores, ids
