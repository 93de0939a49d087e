"""The two loops, with the built-in model: chunks do not change logits, decoding runs one ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx
import pytest

from gemma_tui.generation import SamplingOptions
from gemma_tui.runtime.gemma4.merge import SoftTokens
from gemma_tui.runtime.generate import decode, prefill
from gemma_tui.runtime.loader import LoadedModel, load_model
from gemma_tui.runtime.sampler import make_sampler

if TYPE_CHECKING:
    from pathlib import Path

IDS = [2, *range(300, 700, 2)]
GREEDY = SamplingOptions(temperature=0)


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return load_model(tiny_model, lambda *_: None)


def test_prefill_tells_how_far_it_is(loaded: LoadedModel) -> None:
    model = loaded.model
    cache = model.make_cache()
    steps = prefill(model, IDS, start=0, stop=150, cache=cache, soft=None, chunk_tokens=64)
    offsets = [(done, cache[0].offset) for done in steps]
    assert offsets == [(64, 64), (128, 128), (150, 150)]
    assert list(prefill(model, IDS, start=150, stop=150, cache=cache, soft=None)) == []


@pytest.mark.parametrize("size", [1, 7, 64, 512])
def test_chunks_of_any_size_leave_the_same_state(loaded: LoadedModel, size: int) -> None:
    model = loaded.model
    width = loaded.config.text.hidden_size
    rows = mx.random.normal((40, width), key=mx.random.key(1))
    soft = SoftTokens(rows, tuple(range(50, 90)))
    whole = model(mx.array([IDS]), cache=model.make_cache(), soft=soft)[:, -1]
    cache = model.make_cache()
    last = len(IDS) - 1
    steps = prefill(model, IDS, start=0, stop=last, cache=cache, soft=soft, chunk_tokens=size)
    assert [*steps][-1] == last
    chunked = model(mx.array([IDS[-1:]]), cache=cache)[:, -1]
    assert float(mx.abs(whole - chunked).max().item()) < 1e-4  # type: ignore[arg-type]


def test_decoding_equals_taking_the_best_token_again_and_again(loaded: LoadedModel) -> None:
    model = loaded.model
    expected: list[int] = []
    for _ in range(12):
        logits = model(mx.array([[*IDS, *expected]]), cache=model.make_cache(), last_only=True)
        expected.append(int(mx.argmax(logits[0, -1]).item()))  # type: ignore[arg-type]
    cache = model.make_cache()
    list(prefill(model, IDS, start=0, stop=len(IDS) - 1, cache=cache, soft=None))
    tokens = decode(model, IDS[-1], cache=cache, sampler=make_sampler(GREEDY))
    assert [next(tokens) for _ in range(12)] == expected


def test_the_state_has_seen_exactly_what_was_handed_out(loaded: LoadedModel) -> None:
    model = loaded.model
    cache = model.make_cache()
    list(prefill(model, IDS, start=0, stop=len(IDS) - 1, cache=cache, soft=None))
    tokens = decode(model, IDS[-1], cache=cache, sampler=make_sampler(GREEDY))
    written = [next(tokens) for _ in range(5)]
    tokens.close()
    assert {layer.offset for layer in cache} == {len(IDS) + 5}
    warm = model(mx.array([[7]]), cache=cache)[:, -1]
    cold = model(mx.array([[*IDS, *written, 7]]), cache=model.make_cache())[:, -1]
    assert float(mx.abs(warm - cold).max().item()) < 1e-4  # type: ignore[arg-type]
