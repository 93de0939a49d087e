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
    from collections.abc import Collection

    from gemma_tui.options import SamplingOptions


MAX_REPETITION_PENALTY: Final = 10_000
"""By then a token that was seen is as good as forbidden."""

MAX_PRESENCE_PENALTY: Final = 100
"""Logits of Gemma 4 lie within 30, so that more would change nothing."""

_COLDEST: Final = 1e-5
"""Below this the best token always wins, and the quotients leave the range of float32."""

_KEY_STRIDE: Final = 0x9E3779B97F4A7C15
"""Between the keys of neighbouring tokens, modulo 2**64. Odd, so that none comes twice; the golden
ratio, so that no two seeds a person would choose share keys (as SplitMix64 counts)."""


def check_sampling(options: SamplingOptions) -> None:
    """Refuse what cannot be drawn from.

    Raises:
        UsageError: An option is outside its range.
    """
    filled = options.filled()
    temperature, top_k, top_p = filled.temperature, filled.top_k, filled.top_p
    assert temperature is not None
    assert top_k is not None
    assert top_p is not None
    if not (math.isfinite(temperature) and temperature >= 0):
        raise UsageError(f"A temperature of {temperature} is not 0 or more.", "Try 1.0.")
    if top_k < 0:
        raise UsageError(f"A top-k of {top_k} is not 0 or more.", "0 allows every token.")
    if not 0 < top_p <= 1:
        raise UsageError(f"A top-p of {top_p} is not above 0 and at most 1.", "Try 0.95.")
    if not 0 <= options.min_p <= 1:
        raise UsageError(f"A min-p of {options.min_p} is not from 0 to 1.", "Try 0.05.")
    if not 0 < options.repetition_penalty <= MAX_REPETITION_PENALTY:
        raise UsageError(
            f"A repetition penalty of {options.repetition_penalty} is not above 0 and at most"
            f" {MAX_REPETITION_PENALTY}.",
            "Try 1.1.",
        )
    if not abs(options.presence_penalty) <= MAX_PRESENCE_PENALTY:
        raise UsageError(
            f"A presence penalty of {options.presence_penalty} is not from"
            f" -{MAX_PRESENCE_PENALTY} to {MAX_PRESENCE_PENALTY}.",
            "Try 0.5.",
        )


class Sampler:
    """From logits `[1, V]` (any float type) to token ids `[1]` (uint32), for one reply.

    Nothing is evaluated: calls can run one token ahead under `mx.async_eval`. Make it and call it
    on the thread that evaluates.

    The n-th token of a reply is drawn with a key that depends on the seed and n alone, so a reply
    that is continued draws what it would have drawn without the break.

    Args:
        options: How to draw; what is None is Gemma 4's default. Without a seed every sampler draws
            differently.
        suppressed: Ids below V that are never drawn.
        prompt: Ids of the prompt, which the repetition penalty counts.
        written: Ids of the reply that is continued.

    Raises:
        UsageError: An option is outside its range.
    """

    def __init__(
        self,
        options: SamplingOptions,
        *,
        suppressed: Collection[int] = (),
        prompt: Collection[int] = (),
        written: Collection[int] = (),
    ) -> None:
        check_sampling(options)
        filled = options.filled()
        self._options = options
        self._temperature = filled.temperature or 0.0
        self._top_k = filled.top_k or 0
        self._top_p = 1.0 if filled.top_p is None else filled.top_p
        self._seed = secrets.randbits(64) if options.seed is None else options.seed
        self._position = len(written)
        self._suppressed = set(suppressed)
        self._banned = _row(self._suppressed)
        self._never = mx.array(-math.inf)
        penalty, presence = options.repetition_penalty, options.presence_penalty
        self._seen = _Seen({*prompt, *written}) if penalty != 1 else None
        self._present = _Seen(written) if presence != 0 else None

    def __call__(self, logits: mx.array) -> mx.array:
        """Draw the next token."""
        scores = self._penalise(logits.astype(mx.float32))
        if self._banned.size:
            scores = mx.put_along_axis(scores, self._banned, self._never, axis=-1)
        position = self._position
        self._position += 1
        if self._temperature < _COLDEST:
            return mx.argmax(scores, axis=-1)
        key = mx.random.key((self._seed + position * _KEY_STRIDE) % 2**64)
        scores, ids = keep_likely(
            scores / self._temperature, self._top_k, self._top_p, self._options.min_p
        )
        choice = mx.random.categorical(scores, key=key)
        return mx.take_along_axis(ids, choice[:, None], axis=-1).squeeze(-1)

    def note(self, token: mx.array) -> None:
        """Count a token `[1]` of the reply, which may not be evaluated yet."""
        for seen in (self._seen, self._present):
            if seen is not None:
                seen.add(token)

    def suppress(self, token_id: int) -> None:
        """Never draw this token from now on."""
        if token_id not in self._suppressed:
            self._suppressed.add(token_id)
            self._banned = _row(self._suppressed)

    def _penalise(self, scores: mx.array) -> mx.array:
        if self._seen is not None:
            penalty = self._options.repetition_penalty
            lower = mx.where(scores < 0, scores * penalty, scores / penalty)
            scores = mx.where(self._seen.mask(scores.shape[-1]), lower, scores)
        if self._present is not None:
            present = self._present.mask(scores.shape[-1])
            scores = scores - self._options.presence_penalty * present
        return scores


class _Seen:
    """Which tokens have occurred, as a lazy mask; its size is known with the first logits.

    Args:
        ids: Those that have occurred already.
    """

    def __init__(self, ids: Collection[int]) -> None:
        self._new = [_row(ids)] if ids else []
        self._mask: mx.array | None = None

    def add(self, token: mx.array) -> None:
        """Another one, `[1]`."""
        self._new.append(token[None])

    def mask(self, size: int) -> mx.array:
        """`[1, size]`, booleans."""
        if self._mask is None:
            self._mask = mx.zeros((1, size), dtype=mx.bool_)
        for ids in self._new:
            self._mask = mx.put_along_axis(self._mask, ids, mx.array(True), axis=-1)
        self._new.clear()
        return self._mask


def _row(ids: Collection[int]) -> mx.array:
    return mx.array(sorted(set(ids)), dtype=mx.uint32)[None]


def keep_likely(
    scores: mx.array, top_k: int, top_p: float, min_p: float = 0.0
) -> tuple[mx.array, mx.array]:
    """Drop unlikely tokens: all but the best `top_k`, the tail beyond `top_p`, those below `min_p`.

    The order of the filters and their edges are those of transformers' `TopKLogitsWarper`,
    `TopPLogitsWarper` and `MinPLogitsWarper`: the token that crosses `top_p` stays, the best one
    always does. Only ties with the k-th token differ: exactly k stay.

    Args:
        scores: Float32 logits `[1, V]`, already divided by the temperature.
        top_k: How many tokens stay; 0 keeps all.
        top_p: The probability that the kept tokens reach together; 1 keeps all.
        min_p: The least probability of a kept token, relative to the best one's; 0 keeps all.

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
    if min_p > 0:
        # A ratio of probabilities is a difference of scores.
        lowest = mx.max(scores, axis=-1, keepdims=True) + math.log(min_p)
        scores = mx.where(scores < lowest, -math.inf, scores)
    return scores, ids
