"""The whole path from a file to logits, against the reference implementation, for all sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.runtime.generate import chunk_ends, prefill
from gemma_tui.runtime.prompt import Prompt
from gemma_tui.runtime.prompt_cache import PromptCache
from tests.golden import recipe, sizes

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gemma_tui.runtime.gemma4.model import Gemma4
    from tests.runtime.gemma4.conftest import Case, Checkpoint

LOGIT_TOLERANCE = 2e-3
"""The reference differs from itself by 9e-4 between one pass and token by token."""

FEATURE_TOLERANCE = 1e-4
"""Soft tokens are of the order of 1; measured: 9e-6."""

SIZES = list(sizes.CONFIGS)
TURNS = {
    size: "second_turn" if "second_turn" in sizes.CASES[size] else "two_turns" for size in SIZES
}
"""The case of two turns, each with a picture; with a clip as well where the size hears."""

EVERY_CASE = [(size, name) for size in SIZES for name in sizes.CASES[size]]
CHUNKED_CASES = [
    *(
        (size, name, chunk)
        for size in SIZES
        for name in ("text", "four_pictures", TURNS[size])
        for chunk in (16, 64, 2048)
    ),
    *((size, TURNS[size], chunk) for size in SIZES for chunk in (1, 7, 31, 33)),
    *(
        ("e2b", name, chunk)
        for name in ("text", "four_pictures", "two_clips")
        for chunk in (7, 32, 100)
    ),
    *(("12b", "picture_and_clip", chunk) for chunk in (16, 64, 2048)),
]


def check_logits(checkpoint: Checkpoint, name: str, logits: mx.array, start: int = 0) -> None:
    """Logits [1, length, vocabulary] of the positions from `start` on are the reference's."""
    found = np.asarray(logits[0])
    stop = start + len(found)
    columns, _ = sizes.stored_columns(checkpoint.size)
    expected = checkpoint.golden[f"{name}/logits"][start:stop]
    assert np.array_equal(found.argmax(-1), checkpoint.golden[f"{name}/best"][start:stop])
    difference = float(np.abs(found[:, columns] - expected).max())
    assert difference <= LOGIT_TOLERANCE, f"{name}: {difference:.1e}"


def check_features(checkpoint: Checkpoint, key: str, features: mx.array | None) -> None:
    """Soft tokens [count, hidden] are the reference's."""
    if features is None:
        assert key not in checkpoint.golden
        return
    _, columns = sizes.stored_columns(checkpoint.size)
    found, expected = np.asarray(features)[:, columns], checkpoint.golden[key]
    assert found.shape == expected.shape
    difference = float(np.abs(found - expected).max())
    assert difference <= FEATURE_TOLERANCE, f"{key}: {difference:.1e}"


def advance(model: Gemma4, case: Case, cache: list[Any], start: int, chunk: int) -> mx.array:
    """Logits [1, length - start, vocabulary] of what `cache` has not seen, chunk by chunk."""
    ids: list[int] = case.ids[0].tolist()  # type: ignore[assignment]
    logits = []
    for end in chunk_ends(start, len(ids), chunk, model.unsplittable(ids)):
        soft = case.soft.slice(start, end) if case.soft else None
        logits.append(model(case.ids[:, start:end], cache=cache, soft=soft))
        mx.eval(logits[-1])
        start = end
    return mx.concatenate(logits, axis=1)


@pytest.mark.parametrize(("size", "name"), EVERY_CASE)
def test_logits_and_soft_tokens_equal_the_reference(
    size: str, name: str, checkpoints: Callable[[str], Checkpoint]
) -> None:
    checkpoint = checkpoints(size)
    case, model = checkpoint.case(name), checkpoint.model
    assert np.array_equal(np.asarray(case.ids[0]), checkpoint.golden[f"{name}/ids"])
    check_features(checkpoint, f"{name}/image", case.images)
    check_features(checkpoint, f"{name}/audio", case.sounds)
    check_logits(checkpoint, name, model(case.ids, cache=model.make_cache(), soft=case.soft))


@pytest.mark.parametrize(("size", "name", "chunk"), CHUNKED_CASES)
def test_chunks_of_any_size_equal_the_reference(
    size: str, name: str, chunk: int, checkpoints: Callable[[str], Checkpoint]
) -> None:
    """A picture seen both ways straddles the borders of all but the last, and is never split."""
    checkpoint = checkpoints(size)
    model = checkpoint.model
    logits = advance(model, checkpoint.case(name), model.make_cache(), 0, chunk)
    check_logits(checkpoint, name, logits)


@pytest.mark.parametrize("chunk", [16, 64, 2048])
@pytest.mark.parametrize("size", SIZES)
def test_prefill_without_logits_leaves_the_state_of_the_reference(
    chunk: int, size: str, checkpoints: Callable[[str], Checkpoint]
) -> None:
    checkpoint = checkpoints(size)
    case, model = checkpoint.case("two_pictures"), checkpoint.model
    cache = model.make_cache()
    ids: list[int] = case.ids[0].tolist()  # type: ignore[assignment]
    last = len(ids) - 1
    steps = prefill(model, ids, start=0, stop=last, cache=cache, soft=case.soft, chunk_tokens=chunk)
    assert [*steps][-1] == last
    logits = model(case.ids[:, last:], cache=cache, last_only=True)
    check_logits(checkpoint, "two_pictures", logits, start=last)


@pytest.mark.parametrize("chunk", [16, 64, 2048])
@pytest.mark.parametrize("size", SIZES)
def test_a_second_turn_after_a_snapshot_equals_the_reference(
    chunk: int, size: str, checkpoints: Callable[[str], Checkpoint]
) -> None:
    """The first turn has wrapped the window; the snapshot serves twice and stays what it is."""
    checkpoint = checkpoints(size)
    name, model = TURNS[size], checkpoint.model
    case, prompt_cache = checkpoint.case(name), PromptCache(model.make_cache)
    ids: list[int] = case.ids[0].tolist()  # type: ignore[assignment]
    turn, cache = case.first_turn, model.make_cache()
    assert turn > 2 * checkpoint.loaded.config.text.sliding_window
    list(prefill(model, ids, start=0, stop=turn, cache=cache, soft=case.soft, chunk_tokens=chunk))
    prompt = Prompt(tuple(ids), (), (turn,))
    prompt_cache.keep(prompt, turn, cache)
    for _ in range(2):
        restored, known = prompt_cache.take_up(prompt)
        assert known == turn
        logits = advance(model, case, restored, turn, chunk)
        check_logits(checkpoint, name, logits, start=turn)


@pytest.mark.parametrize("name", ["text", "picture_and_clip"])
def test_token_by_token_equals_the_reference(
    name: str, checkpoints: Callable[[str], Checkpoint]
) -> None:
    """Where pictures are seen one way, even they can be read like that."""
    checkpoint = checkpoints("e2b")
    model, case = checkpoint.model, checkpoint.case(name)
    cache, steps = model.make_cache(), []
    for position in range(case.ids.shape[1]):
        soft = case.soft.slice(position, position + 1) if case.soft else None
        steps.append(
            model(case.ids[:, position : position + 1], cache=cache, soft=soft, last_only=True)
        )
        mx.eval(steps[-1])
    check_logits(checkpoint, name, mx.concatenate(steps, axis=1))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["text", "picture_70", "two_turns"])
@pytest.mark.parametrize("before", [0, 10, 100])
def test_last_position_alone_equals_the_reference(
    size: str, name: str, before: int, checkpoints: Callable[[str], Checkpoint]
) -> None:
    checkpoint = checkpoints(size)
    case, model = checkpoint.case(name), checkpoint.model
    cache, length = model.make_cache(), case.ids.shape[1]
    first = case.soft.slice(0, before) if case.soft else None
    rest = case.soft.slice(before, length) if case.soft else None
    if before:
        model.prefill(case.ids[:, :before], cache=cache, soft=first)
    last = model(case.ids[:, before:], cache=cache, soft=rest, last_only=True)
    assert last.shape == (1, 1, recipe.VOCABULARY)
    check_logits(checkpoint, name, last, start=length - 1)


@pytest.mark.parametrize("size", SIZES)
def test_placeholders_without_soft_tokens_count_as_padding(
    size: str, checkpoints: Callable[[str], Checkpoint]
) -> None:
    model = checkpoints(size).model
    ids = mx.array([[recipe.BOS, 50, recipe.IMAGE, recipe.AUDIO, recipe.VIDEO, 60]])
    padded = mx.array([[recipe.BOS, 50, recipe.PAD, recipe.PAD, recipe.PAD, 60]])
    found = model(ids, cache=model.make_cache())
    expected = model(padded, cache=model.make_cache())
    assert mx.array_equal(found, expected)
