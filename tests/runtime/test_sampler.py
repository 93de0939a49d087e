"""The filters are those of the reference, in its order; draws follow the probabilities."""

from __future__ import annotations

import math
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gemma_tui.errors import UsageError
from gemma_tui.options import SamplingOptions
from gemma_tui.runtime.sampler import Sampler, keep_likely

LOGITS = (2.0, 1.5, 1.0, 0.9, 0.5, 0.0, -0.3, -1.0, -1.1, -2.0, -4.0, -9.0)


def softmax(scores: np.ndarray) -> np.ndarray:
    weights: np.ndarray = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def filter_as_the_reference(
    logits: np.ndarray, temperature: float, top_k: int, top_p: float, min_p: float = 0.0
) -> np.ndarray:
    """Probabilities after temperature, top-k, top-p and min-p, written from their definitions."""
    scores = logits.astype(np.float64) / temperature
    if top_k:
        kth = np.sort(scores)[-min(top_k, scores.size)]
        scores = np.where(scores < kth, -np.inf, scores)
    if top_p < 1:
        rising = np.argsort(scores, kind="stable")
        drop = softmax(scores[rising]).cumsum() <= 1 - top_p
        drop[-1] = False
        scores[rising[drop]] = -np.inf
    if min_p:
        likely = softmax(scores)
        scores = np.where(likely < min_p * likely.max(), -np.inf, scores)
    return softmax(scores)


def kept(
    logits: np.ndarray, temperature: float, top_k: int, top_p: float, min_p: float = 0.0
) -> np.ndarray:
    scores, ids = keep_likely(mx.array(logits)[None] / temperature, top_k, top_p, min_p)
    dense = np.full(logits.size, -np.inf)
    dense[np.array(ids)[0]] = np.array(scores)[0]
    return softmax(dense)


def token_of(tokens: mx.array) -> int:
    assert (tokens.shape, tokens.dtype) == ((1,), mx.uint32)
    return int(np.array(tokens)[0])


def random_state() -> list[int]:
    state: Any = mx.random.state
    return [int(number) for number in np.array(state[0])]


def draw(options: SamplingOptions, logits: mx.array, count: int) -> list[int]:
    sample = Sampler(options)
    return [token_of(sample(logits)) for _ in range(count)]


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 80),
    temperature=st.floats(0.1, 3),
    top_k=st.integers(0, 90),
    top_p=st.floats(0.01, 1),
    min_p=st.sampled_from([0.0]) | st.floats(0.001, 1),
)
def test_filters_are_those_of_the_reference(
    seed: int, size: int, temperature: float, top_k: int, top_p: float, min_p: float
) -> None:
    logits = np.random.default_rng(seed).normal(size=size).astype(np.float32) * 3
    expected = filter_as_the_reference(logits, temperature, top_k, top_p, min_p)
    nearly = [
        filter_as_the_reference(logits, temperature, top_k, top_p + e, min(1.0, min_p * (1 + e)))
        for e in (-1e-5, 1e-5)
    ]
    assume(all(((p > 0) == (expected > 0)).all() for p in nearly))  # not on the edge of a rounding
    found = kept(logits, temperature, top_k, top_p, min_p)
    np.testing.assert_array_equal(found > 0, expected > 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_order_of_the_filters_matters_and_is_the_references() -> None:
    logits = np.array(LOGITS, dtype=np.float32)
    both = filter_as_the_reference(logits, 1.5, 4, 0.7)
    assert (both > 0).sum() == 3
    swapped = filter_as_the_reference(logits, 1.5, 0, 0.7)
    assert (swapped > 0).sum() > 4, "top-p first would leave four of these to top-k"
    np.testing.assert_array_equal(kept(logits, 1.5, 4, 0.7) > 0, both > 0)


@pytest.mark.parametrize(
    "options",
    [
        SamplingOptions(temperature=1.0, top_k=0, top_p=1.0, seed=1),
        SamplingOptions(temperature=0.5, top_k=0, top_p=1.0, seed=2),
        SamplingOptions(temperature=1.0, top_k=5, top_p=1.0, seed=3),
        SamplingOptions(temperature=1.0, top_k=0, top_p=0.8, seed=4),
        SamplingOptions(temperature=1.3, top_k=8, top_p=0.9, seed=5),
    ],
    ids=["plain", "temperature", "top-k", "top-p", "all"],
)
def test_draws_follow_the_probabilities(options: SamplingOptions) -> None:
    assert options.temperature is not None
    assert options.top_k is not None
    assert options.top_p is not None
    expected = filter_as_the_reference(
        np.array(LOGITS), options.temperature, options.top_k, options.top_p
    )
    count = 1000
    sample, logits = Sampler(options), mx.array(LOGITS)[None]
    tokens = mx.concatenate([sample(logits) for _ in range(count)])
    found = np.bincount(np.array(tokens), minlength=len(LOGITS)) / count
    assert not found[expected == 0].any()
    sigma = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(found - expected) <= 4.5 * sigma + 2 / count).all()  # two stray rare draws


@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16, mx.float16])
@pytest.mark.parametrize(
    "options",
    [
        SamplingOptions(temperature=0),
        SamplingOptions(top_k=1),
        SamplingOptions(top_k=0, top_p=1e-9),
        SamplingOptions(top_k=64, top_p=1e-9),
        SamplingOptions(temperature=1e-3),
    ],
    ids=["zero temperature", "top-k 1", "tiny top-p", "tiny top-p of 64", "cold"],
)
def test_the_best_token_is_drawn(options: SamplingOptions, dtype: mx.Dtype) -> None:
    generator = np.random.default_rng(7)
    for best in (0, 4321, 9999):
        values = generator.normal(size=10_000)
        values[best] = 9
        assert draw(options, mx.array(values)[None].astype(dtype), 5) == [best] * 5


def test_the_same_seed_draws_the_same_tokens() -> None:
    logits = mx.array(LOGITS)[None]
    first = draw(SamplingOptions(seed=42), logits, 50)
    assert draw(SamplingOptions(seed=42), logits, 50) == first
    assert draw(SamplingOptions(seed=43), logits, 50) != first
    assert len(set(first)) > 3


def test_without_a_seed_every_sampler_differs() -> None:
    logits = mx.zeros((1, 1000))
    assert draw(SamplingOptions(), logits, 20) != draw(SamplingOptions(), logits, 20)


@pytest.mark.parametrize("seed", [0, -1, 2**64 - 1, 2**80])
def test_any_integer_is_a_seed(seed: int) -> None:
    tokens = draw(SamplingOptions(seed=seed), mx.array(LOGITS)[None], 3)
    assert all(0 <= token < len(LOGITS) for token in tokens)


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 1e-20, 1e-5])
def test_the_coldest_temperatures_take_the_best_token(temperature: float) -> None:
    options = SamplingOptions(temperature=temperature, top_k=0, top_p=1.0)
    logits = mx.array([5.0, 6.0, 7.0, -1.0])[None]
    assert set(draw(options, logits, 20)) == {2}


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_suppressed_tokens_are_never_drawn(temperature: float) -> None:
    options = SamplingOptions(temperature=temperature, top_k=0, top_p=1.0, seed=1)
    sample = Sampler(options, suppressed=frozenset({0, 1, 11}))
    logits = mx.array(LOGITS)[None]
    tokens = {token_of(sample(logits)) for _ in range(200)}
    assert tokens.isdisjoint({0, 1, 11})
    assert (tokens == {2}) == (temperature == 0)
    assert np.array(logits)[0] == pytest.approx(np.array(LOGITS)), (
        "the caller's logits stay as they were"
    )


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_nothing_is_evaluated_while_drawing(temperature: float) -> None:
    sample = Sampler(SamplingOptions(temperature=temperature, seed=1), suppressed=[3])
    # Evaluating inside a traced function is an error in mlx.
    token = mx.compile(sample.__call__)(mx.array(LOGITS)[None])
    assert (token.shape, token.dtype) == ((1,), mx.uint32)


def test_running_one_token_ahead_draws_the_same() -> None:
    table = mx.random.normal((12, 12), key=mx.random.key(5))
    options = SamplingOptions(seed=9)
    sample, token, plain = Sampler(options), mx.array([0]), []
    for _ in range(20):
        token = sample(table[token])
        plain.append(token_of(token))
    sample, token, ahead = Sampler(options), mx.array([0]), []
    token = sample(table[token])
    mx.async_eval(token)  # type: ignore[no-untyped-call]
    for _ in range(20):
        following = sample(table[token])
        mx.async_eval(following)  # type: ignore[no-untyped-call]
        ahead.append(token_of(token))
        token = following
    assert ahead == plain


def test_the_global_random_state_is_neither_read_nor_changed() -> None:
    before = random_state()
    first = draw(SamplingOptions(seed=1), mx.array(LOGITS)[None], 5)
    assert random_state() == before
    mx.random.seed(before[1] + 1)
    assert draw(SamplingOptions(seed=1), mx.array(LOGITS)[None], 5) == first


@pytest.mark.parametrize(
    "options",
    [
        SamplingOptions(temperature=-0.1),
        SamplingOptions(temperature=math.nan),
        SamplingOptions(temperature=math.inf),
        SamplingOptions(top_k=-1),
        SamplingOptions(top_p=0.0),
        SamplingOptions(top_p=1.1),
        SamplingOptions(top_p=math.nan),
        SamplingOptions(min_p=-0.1),
        SamplingOptions(min_p=math.nan),
        SamplingOptions(repetition_penalty=0.0),
        SamplingOptions(repetition_penalty=math.inf),
        SamplingOptions(presence_penalty=math.nan),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(options: SamplingOptions) -> None:
    with pytest.raises(UsageError) as caught:
        Sampler(options)
    assert caught.value.hint


def penalised(
    logits: np.ndarray, *, prompt: list[int], reply: list[int], repetition: float, presence: float
) -> np.ndarray:
    """Logits after both penalties, written from their definitions."""
    scores = logits.astype(np.float64).copy()
    for token in {*prompt, *reply}:
        scores[token] *= repetition if scores[token] < 0 else 1 / repetition
    scores[list(set(reply))] -= presence
    return scores


@given(
    seed=st.integers(0, 2**32 - 1),
    prompt=st.lists(st.integers(0, 29), max_size=8),
    written=st.lists(st.integers(0, 29), max_size=8),
    noted=st.lists(st.integers(0, 29), max_size=8),
    repetition=st.sampled_from([1.0, 0.5, 1.2, 3.0]),
    presence=st.sampled_from([0.0, -1.0, 0.5, 2.0]),
)
def test_penalties_are_those_of_their_definitions(
    seed: int,
    prompt: list[int],
    written: list[int],
    noted: list[int],
    repetition: float,
    presence: float,
) -> None:
    logits = np.random.default_rng(seed).normal(size=30).astype(np.float32) * 3
    options = SamplingOptions(
        temperature=0, repetition_penalty=repetition, presence_penalty=presence
    )
    sample = Sampler(options, prompt=prompt, written=written)
    for token in noted:
        sample.note(mx.array([token], dtype=mx.uint32))
    expected = penalised(
        logits,
        prompt=prompt,
        reply=[*written, *noted],
        repetition=repetition,
        presence=presence,
    )
    best, second = np.sort(expected)[[-1, -2]]
    assume(best - second > 1e-4)
    assert token_of(sample(mx.array(logits)[None])) == int(expected.argmax())


def test_the_prompt_is_no_reason_for_a_presence_penalty() -> None:
    options = SamplingOptions(temperature=0, presence_penalty=100.0)
    assert token_of(Sampler(options, prompt=[0])(mx.array(LOGITS)[None])) == 0
    assert token_of(Sampler(options, written=[0])(mx.array(LOGITS)[None])) == 1


def test_a_token_counts_before_anyone_has_looked_at_it() -> None:
    """Penalties run one token ahead: the token that is noted is not evaluated yet."""
    options = SamplingOptions(temperature=0, presence_penalty=100.0)
    sample, logits = Sampler(options), mx.array(LOGITS)[None]

    def three(logits: mx.array) -> mx.array:
        tokens = [sample(logits)]
        for _ in range(2):
            sample.note(tokens[-1])
            tokens.append(sample(logits))
        return mx.concatenate(tokens)

    assert np.array(mx.compile(three)(logits)).tolist() == [0, 1, 2]


def test_a_continued_reply_draws_what_it_would_have_drawn() -> None:
    options, logits = SamplingOptions(seed=7, top_k=0, top_p=1.0), mx.array(LOGITS)[None]
    uncut = draw(options, logits, 30)
    for place in (1, 13, 29):
        sample = Sampler(options, written=uncut[:place])
        assert [token_of(sample(logits)) for _ in range(30 - place)] == uncut[place:]


def test_a_token_can_be_suppressed_on_the_way() -> None:
    sample, logits = Sampler(SamplingOptions(temperature=0)), mx.array(LOGITS)[None]
    assert token_of(sample(logits)) == 0
    for _ in range(2):
        sample.suppress(0)
        assert token_of(sample(logits)) == 1
    sample.suppress(1)
    assert token_of(sample(logits)) == 2


def test_what_is_left_open_is_filled_from_the_model_then_from_gemma() -> None:
    model = SamplingOptions(temperature=0.2, top_k=5)
    filled = SamplingOptions(top_k=7, seed=3, min_p=0.1).filled(model)
    assert filled == SamplingOptions(0.2, 7, 0.95, 3, min_p=0.1)
    assert SamplingOptions().filled() == SamplingOptions(1.0, 64, 0.95)
