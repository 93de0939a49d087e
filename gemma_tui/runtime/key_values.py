"""Keys and values of stretches of tokens, cut out of mlx-lm's caches and put together again.

A cache grows in place, so two states of it can never share a buffer. Cut into runs that nobody
writes to, they share every run that both of them begin with. Knows arrays and positions only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import mlx.core as mx
from mlx_lm.models.cache import KVCache, RotatingKVCache

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Cache: TypeAlias = "Sequence[Any]"
"""mlx-lm's caches of one conversation, one for each layer with keys of its own."""

_GROWTH: Final = 256
"""Steps in which `KVCache` grows: a buffer of such a size is not copied by the next token."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Keys and values of consecutive tokens, in all global layers or in all sliding ones."""

    start: int
    """The first token, counted from the beginning of the prompt."""
    stop: int
    arrays: tuple[mx.array, ...]
    """Keys and values of one layer after the other, each [1, heads, stop - start, size]."""

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)

    def cut(self, start: int, stop: int) -> Run:
        """The part between two tokens; its arrays are views until they are evaluated."""
        if (start, stop) == (self.start, self.stop):
            return self
        first, last = start - self.start, stop - self.start
        return Run(start, stop, tuple(array[..., first:last, :] for array in self.arrays))


@dataclass(frozen=True, slots=True)
class KeyValues:
    """The state of a decoder after some tokens."""

    whole: tuple[Run, ...]
    """Of the global layers: all tokens, run after run."""
    recent: tuple[Run, ...]
    """Of the sliding layers: the last window of tokens at least, as far as there are as many."""

    @property
    def stop(self) -> int:
        """How many tokens it has seen."""
        return self.whole[-1].stop if self.whole else 0

    @property
    def runs(self) -> tuple[Run, ...]:
        """Everything that it keeps in memory."""
        return self.whole + self.recent


NOTHING: Final = KeyValues((), ())


def window_of(cache: Cache) -> int:
    """The sliding window in tokens; 0 if no layer slides."""
    return next((layer.max_size for layer in cache if isinstance(layer, RotatingKVCache)), 0)


def take(cache: Cache, length: int, known: KeyValues = NOTHING) -> KeyValues:
    """The state of `cache` after its first `length` tokens, copied and evaluated.

    Args:
        cache: It may have seen more tokens, of which a sliding layer has yet dropped none that
            are needed: true within the chunk that it took in last.
        length: Tokens of the state.
        known: An earlier state of the same tokens, whose runs are shared instead of copied.

    Raises:
        ValueError: The cache has not seen as many tokens, or not kept enough of them.
    """
    first = known.stop
    if any(layer.offset < length for layer in cache):
        raise ValueError(f"a state of {cache[0].offset} tokens is not that of {length}")
    window = window_of(cache)
    whole, recent = [*known.whole], [*known.recent]
    if first < length:
        start = max(first, length - window)
        tails = [_stretch(layer, first, length) for layer in cache if not _slides(layer)]
        whole.append(_evaluated(first, length, chain.from_iterable(tails)))
        tails = [_stretch(layer, start, length) for layer in cache if _slides(layer)]
        recent.append(_evaluated(start, length, chain.from_iterable(tails)))
    return KeyValues(tuple(whole), tuple(run for run in recent if run.stop > length - window))


def restore(cache: list[Any], state: KeyValues, length: int, *, room: int = 0) -> list[Any]:
    """Fill empty caches with a state; advancing them leaves it as it is.

    Args:
        cache: Empty, of the decoder that the state is of; filled and returned.
        state: What to fill in.
        length: Tokens to fill in: all of the state or one less, for a sliding layer keeps one
            token more than the next one will see.
        room: For how many tokens the global layers get room at once.
    """
    capacity = -(-max(length + 1, room) // _GROWTH) * _GROWTH
    window = window_of(cache)
    start = max(0, length - window + 1)
    # The oldest place of a full window is overwritten before anything reads it.
    recent = _join(state.recent, start, length, before=1 if length >= window else 0)
    whole = _join(state.whole, 0, length, after=capacity - length)
    for layer in cache:
        if _slides(layer):
            keys, values = next(recent), next(recent)
            layer.state = (keys, values, length, 0, window, keys.shape[2])
        else:
            layer.state = (next(whole), next(whole), length)
    return cache


def cut(runs: Sequence[Run], start: int, stop: int) -> Run | None:
    """One run between two tokens, evaluated; None if `runs` do not cover it."""
    parts = _between(runs, start, stop)
    if not parts or (parts[0].start, parts[-1].stop) != (start, stop):
        return None
    if any(before.stop != after.start for before, after in pairwise(parts)):
        return None
    if parts[0] in runs and len(parts) == 1:
        return parts[0]
    return _evaluated(start, stop, _join(runs, start, stop))


def _between(runs: Sequence[Run], start: int, stop: int) -> list[Run]:
    return [
        run.cut(max(run.start, start), min(run.stop, stop))
        for run in runs
        if run.start < stop and run.stop > start
    ]


def _join(
    runs: Sequence[Run], start: int, stop: int, *, before: int = 0, after: int = 0
) -> Iterator[mx.array]:
    """Keys and values of one layer after the other, each of the whole stretch and lazy.

    Unused places in front and behind are part of the one copy. A single run without them stays
    its own buffer, which MLX copies before it assigns to it.
    """
    for column in zip(*(run.arrays for run in _between(runs, start, stop)), strict=True):
        first, last = (_unused(column[0], places) for places in (before, after))
        yield mx.concatenate([*first, *column, *last], axis=2)


def _unused(like: mx.array, places: int) -> list[mx.array]:
    shape = (*like.shape[:2], places, *like.shape[3:])
    return [mx.zeros(shape, like.dtype)] if places else []


def _evaluated(start: int, stop: int, arrays: Iterable[mx.array]) -> Run:
    """A run that shares no buffer with what a cache writes to."""
    run = Run(start, stop, tuple(mx.contiguous(array) for array in arrays))
    mx.eval(run.arrays)
    return run


def _slides(layer: Any) -> bool:  # noqa: ANN401  # mlx-lm's caches have no annotations
    if isinstance(layer, RotatingKVCache):
        return True
    if isinstance(layer, KVCache):
        return False
    raise TypeError(f"{type(layer).__name__} is no cache of Gemma 4")


def _stretch(layer: Any, start: int, stop: int) -> tuple[mx.array, mx.array]:  # noqa: ANN401
    """Keys and values of some tokens, as views."""
    if not _slides(layer):
        return layer.keys[..., start:stop, :], layer.values[..., start:stop, :]
    _, _, offset, _, _, index = layer.state
    keys, values = (_in_order(array, index, offset) for array in (layer.keys, layer.values))
    first = offset - keys.shape[2]
    if start < first:
        raise ValueError(f"the window begins at token {first}, behind {start}")
    return keys[..., start - first : stop - first, :], values[..., start - first : stop - first, :]


def _in_order(array: mx.array, index: int, offset: int) -> mx.array:
    """What a rotating layer holds, the oldest token first; `index` is its next place."""
    if index == array.shape[2]:
        return array
    if index < offset:
        return mx.concatenate([array[..., index:, :], array[..., :index, :]], axis=2)
    return array[..., :index, :]
