"""The whole path from a file to logits, against the reference implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
import pytest

from tests.golden import recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gemma_tui.runtime.gemma4.model import Gemma4
    from tests.runtime.gemma4.conftest import Case

LOGIT_TOLERANCE = 2e-3
"""The reference differs from itself by 9e-4 between one pass and token by token."""

FEATURE_TOLERANCE = 1e-4
"""Soft tokens are of the order of 1; measured: 9e-6."""

Golden = dict[str, "NDArray[np.float32]"]


def check_logits(golden: Golden, name: str, logits: mx.array, start: int = 0) -> None:
    """Logits [1, length, vocabulary] of the positions from `start` on are the reference's."""
    found = np.asarray(logits[0])
    stop = start + len(found)
    expected = golden[f"{name}/logits"][start:stop]
    assert np.array_equal(found.argmax(-1), golden[f"{name}/best"][start:stop])
    difference = float(np.abs(found[:, recipe.LOGIT_COLUMNS] - expected).max())
    assert difference <= LOGIT_TOLERANCE, f"{name}: {difference:.1e}"


def check_features(golden: Golden, key: str, features: mx.array | None) -> None:
    """Soft tokens [count, hidden] are the reference's."""
    if features is None:
        assert key not in golden
        return
    found = np.asarray(features)[:, recipe.FEATURE_COLUMNS]
    assert found.shape == golden[key].shape
    difference = float(np.abs(found - golden[key]).max())
    assert difference <= FEATURE_TOLERANCE, f"{key}: {difference:.1e}"


@pytest.mark.parametrize("name", recipe.CASES)
def test_logits_and_soft_tokens_equal_the_reference(
    name: str, golden: Golden, model: Gemma4, case: Callable[[str], Case]
) -> None:
    prompt = case(name)
    assert np.array_equal(np.asarray(prompt.ids[0]), golden[f"{name}/ids"])
    check_features(golden, f"{name}/image", prompt.images)
    check_features(golden, f"{name}/audio", prompt.sounds)
    check_logits(golden, name, model(prompt.ids, cache=model.make_cache(), soft=prompt.soft))


@pytest.mark.parametrize("name", ["text", "picture_and_clip"])
def test_token_by_token_equals_the_reference(
    name: str, golden: Golden, model: Gemma4, case: Callable[[str], Case]
) -> None:
    prompt, cache = case(name), model.make_cache()
    steps = []
    for position in range(prompt.ids.shape[1]):
        soft = prompt.soft.slice(position, position + 1) if prompt.soft else None
        steps.append(
            model(prompt.ids[:, position : position + 1], cache=cache, soft=soft, last_only=True)
        )
        mx.eval(steps[-1])
    check_logits(golden, name, mx.concatenate(steps, axis=1))


@pytest.mark.parametrize("chunk", [7, 31, 32, 33, 100])
@pytest.mark.parametrize("name", ["text", "four_pictures", "two_clips"])
def test_prefill_in_chunks_equals_the_reference(
    chunk: int, name: str, golden: Golden, model: Gemma4, case: Callable[[str], Case]
) -> None:
    prompt, cache = case(name), model.make_cache()
    length = prompt.ids.shape[1]
    for start in range(0, length - 1, chunk):
        stop = min(start + chunk, length - 1)
        soft = prompt.soft.slice(start, stop) if prompt.soft else None
        model.prefill(prompt.ids[:, start:stop], cache=cache, soft=soft)
        mx.eval([layer.state for layer in cache])
    last = model(prompt.ids[:, -1:], cache=cache, last_only=True)
    check_logits(golden, name, last, start=length - 1)


def test_second_turn_on_a_warm_cache_equals_the_reference(
    golden: Golden, model: Gemma4, case: Callable[[str], Case]
) -> None:
    prompt, cache = case("second_turn"), model.make_cache()
    assert prompt.soft
    turn, length = prompt.first_turn, prompt.ids.shape[1]
    model.prefill(prompt.ids[:, :turn], cache=cache, soft=prompt.soft.slice(0, turn))
    mx.eval([layer.state for layer in cache])
    warm = model(prompt.ids[:, turn:], cache=cache, soft=prompt.soft.slice(turn, length))
    check_logits(golden, "second_turn", warm, start=turn)


@pytest.mark.parametrize("name", ["text", "picture_70", "two_clips"])
@pytest.mark.parametrize("before", [0, 20, 100])
def test_last_position_alone_equals_the_reference(
    name: str, before: int, golden: Golden, model: Gemma4, case: Callable[[str], Case]
) -> None:
    prompt, cache = case(name), model.make_cache()
    length = prompt.ids.shape[1]
    first = prompt.soft.slice(0, before) if prompt.soft else None
    rest = prompt.soft.slice(before, length) if prompt.soft else None
    if before:
        model.prefill(prompt.ids[:, :before], cache=cache, soft=first)
    last = model(prompt.ids[:, before:], cache=cache, soft=rest, last_only=True)
    assert last.shape == (1, 1, recipe.VOCABULARY)
    check_logits(golden, name, last, start=length - 1)


def test_placeholders_without_soft_tokens_count_as_padding(model: Gemma4) -> None:
    ids = mx.array([[recipe.BOS, 50, recipe.IMAGE, recipe.AUDIO, recipe.VIDEO, 60]])
    padded = mx.array([[recipe.BOS, 50, recipe.PAD, recipe.PAD, recipe.PAD, 60]])
    found = model(ids, cache=model.make_cache())
    expected = model(padded, cache=model.make_cache())
    assert mx.array_equal(found, expected)
