"""What is kept of a cache, what of it is shared, what fits a prompt, and what goes first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import pytest
from mlx_lm.models.cache import ArraysCache, KVCache, RotatingKVCache

from gemma_tui.runtime.key_values import cut, restore, take
from gemma_tui.runtime.prompt import MediaSpan, Prompt
from gemma_tui.runtime.prompt_cache import PromptCache
from tests.engine.scenes import ask
from tests.runtime.talk import Talk

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = 8
SPAN = MediaSpan(2, 4, "image", "ab", 70)
TOKEN_BYTES = 4 * 4
"""Of one token in one layer: keys and values of two float32."""


def empty_cache() -> list[Any]:
    return [RotatingKVCache(max_size=WINDOW), KVCache()]  # type: ignore[no-untyped-call]


def values(start: int, stop: int) -> mx.array:
    """[1, 1, length, 2]: each token has its own number."""
    return mx.arange(start, stop, dtype=mx.float32)[None, None, :, None] * mx.ones((2,))


def advance(cache: list[Any], stop: int) -> list[Any]:
    """Let caches see tokens up to `stop`; returns them."""
    for layer in cache:
        start = layer.offset
        layer.update_and_fetch(values(start, stop), -values(start, stop))
    mx.eval([layer.state for layer in cache])
    return cache


def seen(layer: Any, following: int) -> list[float]:
    """What the next token sees, itself included, by number."""
    keys, _ = layer.update_and_fetch(values(following, following + 1), values(0, 1))
    return sorted(keys[0, 0, :, 0].tolist())


@pytest.mark.parametrize("less", [0, 1])
@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 20])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_restored_cache_sees_what_the_first_one_saw(
    length: int, less: int, one_by_one: bool
) -> None:
    if length == less:
        return
    cache = empty_cache()
    for stop in range(1, length + 1) if one_by_one else (length // 2, length):
        if stop:
            advance(cache, stop)
    state = take(cache, length)
    assert state.stop == length
    warm = restore(empty_cache(), state, length - less)
    window, whole = (seen(layer, length - less) for layer in warm)
    expected = [float(number) for number in range(length - less + 1)]
    assert whole == expected
    assert window == expected[-WINDOW:]


@pytest.mark.parametrize("step", [1, 3, 12])
def test_a_restored_cache_goes_on_by_any_step(step: int) -> None:
    state = take(advance(empty_cache(), 20), 20)
    cache = restore(empty_cache(), state, 20)
    for stop in range(20 + step, 60, step):
        advance(cache, stop)
    length = cache[0].offset
    window, whole = (seen(layer, length) for layer in cache)
    assert whole == [float(number) for number in range(length + 1)]
    assert window[-WINDOW:] == whole[-WINDOW:]
    again = restore(empty_cache(), state, 20)
    assert seen(again[1], 20) == [float(number) for number in range(21)]


def test_a_state_in_the_middle_of_the_latest_chunk_can_be_taken() -> None:
    cache = advance(advance(empty_cache(), 20), 35)
    for length in range(21, 36):
        warm = restore(empty_cache(), take(cache, length), length)
        assert seen(warm[0], length) == [float(n) for n in range(length - WINDOW + 1, length + 1)]
    with pytest.raises(ValueError, match="window begins"):
        take(cache, 19)


def test_states_of_one_conversation_share_what_they_begin_with() -> None:
    cache = advance(empty_cache(), 20)
    first = take(cache, 20)
    second = take(advance(cache, 24), 24, first)
    assert second.whole[0] is first.whole[0]
    assert second.recent[0] is first.recent[0]
    assert second.whole[1].nbytes == second.recent[1].nbytes == 4 * TOKEN_BYTES
    third = take(advance(cache, 40), 40, second)
    assert len(third.whole) == 3
    assert len(third.recent) == 1, "older ones lie before the window"


def test_a_state_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 tokens is not that of 3"):
        take(advance(empty_cache(), 2), 3)


def test_a_cache_of_another_kind_is_refused() -> None:
    layer = ArraysCache(1)
    layer.offset = 3  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="ArraysCache"):
        take([layer], 3)


def test_a_run_is_cut_only_where_it_is_covered() -> None:
    state = take(advance(empty_cache(), 24), 24, take(advance(empty_cache(), 20), 20))
    run = cut(state.whole, 18, 22)
    assert run is not None
    assert run.arrays[0][0, 0, :, 0].tolist() == [18, 19, 20, 21]
    assert cut(state.whole, 0, 20) is state.whole[0]
    assert cut(state.whole, 22, 25) is None
    assert cut(state.recent, 2, 22) is None
    assert cut((state.whole[0], replace(state.whole[1], start=21)), 0, 24) is None


def prompt(*ids: int, spans: tuple[MediaSpan, ...] = ()) -> Prompt:
    return Prompt(ids, spans, ())


def keep(cache: PromptCache, *ids: int, spans: tuple[MediaSpan, ...] = ()) -> None:
    cache.keep(prompt(*ids, spans=spans), len(ids), advance(empty_cache(), len(ids)))


def known(cache: PromptCache, *ids: int, spans: tuple[MediaSpan, ...] = ()) -> int:
    layers, count = cache.take_up(prompt(*ids, spans=spans))
    assert all(layer.offset == count for layer in layers)
    return count


def test_the_longest_beginning_is_found() -> None:
    cache = PromptCache(empty_cache)
    for ids in ((1,), (1, 2), (1, 2, 3, 4), (1, 9)):
        keep(cache, *ids)
    assert known(cache, 1, 2, 3) == 2
    assert known(cache, 2, 1) == 0
    assert cache.token_count == 1 + 1 + 2 + 1


def test_the_last_token_is_always_left_to_read() -> None:
    cache = PromptCache(empty_cache)
    keep(cache, *range(1, 20))
    assert known(cache, *range(1, 20)) == 18
    assert known(cache, *range(1, 19)) == 0
    keep(cache, 50)
    assert known(cache, 50) == 0


@pytest.mark.parametrize(
    "change", [{"sha256": "cd"}, {"token_budget": 140}, {"kind": "audio"}, {"start": 1}]
)
def test_media_must_be_the_same(change: dict[str, Any]) -> None:
    cache = PromptCache(empty_cache)
    keep(cache, 1, 2, 8, 8, 3, spans=(SPAN,))
    assert known(cache, 1, 2, 8, 8, 3, 4, spans=(SPAN,))
    assert not known(cache, 1, 2, 8, 8, 3, 4, spans=(replace(SPAN, **change),))
    assert not known(cache, 1, 2, 8, 8, 3, 4)


def test_media_further_on_do_not_matter() -> None:
    cache = PromptCache(empty_cache)
    cache.keep(prompt(1, 2, 8, 8, spans=(SPAN,)), 2, advance(empty_cache(), 4))
    assert known(cache, 1, 2, 8, 8, 3, spans=(SPAN,))
    assert known(cache, 1, 2, 3)


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache = PromptCache(empty_cache, max_bytes=2 * 2 * TOKEN_BYTES)
    keep(cache, 1)
    keep(cache, 2)
    assert known(cache, 1, 0)
    keep(cache, 3)
    assert known(cache, 1, 0)
    assert not known(cache, 2, 0)
    keep(cache, *[4] * 20)
    assert not known(cache, 3, 0)
    assert known(cache, *[4] * 20, 5), "the newest is kept whatever its size"


def test_the_middle_of_a_conversation_goes_before_the_end_of_another() -> None:
    cache = PromptCache(empty_cache, max_snapshots=5)
    keep(cache, 9, 9)
    for length in range(1, 9):
        keep(cache, *range(1, length + 1))
    assert known(cache, 9, 9, 0) == 2
    assert known(cache, *range(1, 9), 0) == 8
    assert known(cache, *range(1, 8), 0) == 7
    assert known(cache, 1, 2, 3, 0) == 0


def test_their_number_is_bounded_and_none_is_kept_twice() -> None:
    cache = PromptCache(empty_cache, max_snapshots=3)
    for number in (1, 2, 2, 2, 3):
        keep(cache, number)
    assert known(cache, 1, 0)
    keep(cache, 4)
    assert not known(cache, 2, 0)
    assert cache.token_count == 3
    cache.clear()
    assert known(cache, 4, 0) == 0
    assert cache.byte_count == 0


def test_twenty_turns_take_little_more_memory_than_the_last_one(tiny_model: Path) -> None:
    """Measured by MLX itself: all ends of turns together, against what one copy of it takes."""
    talk = Talk(tiny_model, pool=None)  # type: ignore[arg-type]  # no media
    resident = talk.resident
    texts = ["Tell me about digits. " * 6, "Yes."] * 20
    whole = resident.renderer.render(ask(*texts, "Go on."), ())
    model, cache = resident.loaded.model, resident.loaded.model.make_cache()
    start, baseline = 0, mx.get_active_memory()
    for stop in whole.turn_ends:
        model.prefill(mx.array([whole.ids[start:stop]]), cache=cache)
        resident.prompt_cache.keep(whole, stop, cache)
        start = stop
    del cache
    held = mx.get_active_memory() - baseline
    # Keys and values in float32, of one global layer and two sliding ones. Twenty copies would be
    # some ten times as much; MLX shares a buffer that wastes 16 KB at most instead of copying it.
    every_token = len(whole.ids) * (64 + 2 * 32) * 2 * 4
    assert resident.prompt_cache.byte_count <= every_token
    assert held <= 2 * every_token


def test_warm_logits_equal_cold_ones(tiny_model: Path) -> None:
    talk = Talk(tiny_model, pool=None)  # type: ignore[arg-type]  # no media
    model = talk.resident.loaded.model
    text = "Tell me about shapes and colors, and about digits too. " * 12
    ids = talk.resident.renderer.render(ask(text, "Yes.", text), ()).ids
    cold = model(mx.array([ids]), cache=model.make_cache())
    store, cache = PromptCache(model.make_cache), model.make_cache()
    for start, stop in ((0, 100), (100, 101), (101, 260)):
        mx.eval(model(mx.array([ids[start:stop]]), cache=cache))
        store.keep(prompt(*ids), stop, cache)
    # Going on must leave all that was kept as it is.
    mx.eval(model(mx.array([ids[260:270]]), cache=cache))
    for stop in (100, 101, 260):
        warm_cache, count = store.take_up(prompt(*ids[: stop + 1]))
        assert count == stop
        warm = model(mx.array([ids[stop:]]), cache=warm_cache)
        assert mx.abs(warm - cold[:, stop:]).max().item() < 1e-4  # type: ignore[operator]
