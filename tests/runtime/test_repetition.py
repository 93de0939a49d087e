"""Loops are noticed, and nothing that only looks like one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.runtime.repetition import MAX_PERIOD, MIN_REPEATS, MIN_TOKENS, LoopDetector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gemma_tui.runtime.tokenizer import Tokenizer


def first_alarm(ids: Iterable[int]) -> int | None:
    """After how many tokens a loop is noticed."""
    detector = LoopDetector()
    return next((count for count, token in enumerate(ids, start=1) if detector.add(token)), None)


def is_loop(ids: Sequence[int]) -> bool:
    """The definition, written plainly: the end of `ids` is periodic for long enough."""
    for period in range(1, MAX_PERIOD + 1):
        run = 0
        while run + period < len(ids) and ids[-1 - run] == ids[-1 - run - period]:
            run += 1
        if run and run + period >= max(MIN_TOKENS, MIN_REPEATS * period):
            return True
    return False


@given(
    st.lists(st.integers(0, 9), max_size=40),
    st.lists(st.integers(0, 9), min_size=1, max_size=MAX_PERIOD),
)
def test_a_periodic_tail_is_noticed_as_soon_as_it_is_long_enough(
    before: list[int], block: list[int]
) -> None:
    needed = max(MIN_TOKENS, MIN_REPEATS * len(block))
    ids = [10, *before, 11, *block * (needed // len(block) + 2)]
    count = first_alarm(ids)
    assert count is not None
    assert count <= len(before) + 2 + needed
    assert is_loop(ids[:count])
    assert not is_loop(ids[: count - 1])


@given(st.lists(st.integers(0, 2), max_size=900), st.integers(1, 70))
def test_it_says_what_the_definition_says(noise: list[int], period: int) -> None:
    ids = noise + noise[:period] * 9
    detector = LoopDetector()
    verdicts = [detector.add(token) for token in ids]
    for count in {1, len(ids) // 2, len(ids)} - {0}:
        if count <= len(ids):
            assert verdicts[count - 1] == is_loop(ids[:count])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(2, 7))
def test_a_block_may_come_a_few_times(block: list[int], times: int) -> None:
    # With a counter in between, as in a list: nothing is ever repeated exactly.
    counted = [token for number in range(200) for token in (*block, 100 + number)]
    assert first_alarm(counted) is None
    assert first_alarm((block * times)[: MIN_TOKENS - 1]) is None


LEGITIMATE = {
    "laughter": "ha " * 100,
    "a ruler": "-" * 300,
    "an empty table": "| a | b | c |\n|---|---|---|\n" + "|   |   |   |\n" * 12,
    "a table": "\n".join(f"| row {n} | {n * n} | yes | no | yes |" for n in range(300)),
    "a numbered list": "\n".join(f"{n}. The same sentence every time." for n in range(300)),
    "code": "\n".join(f"    case {n}:\n        return handlers[{n}]()" for n in range(150)),
    "zeros": "\n".join("[0, 0, 0, 0, 0, 0, 0, 0]," for _ in range(8)),
    "a refrain": ("Row, row, row your boat,\nGently down the stream.\n" * 2 + "Verse.\n") * 3,
    "counting": " ".join(map(str, range(2000))),
}


@pytest.mark.parametrize("name", LEGITIMATE)
def test_legitimate_repetition_goes_on(tokenizer: Tokenizer, name: str) -> None:
    assert first_alarm(tokenizer.encode_text(LEGITIMATE[name])) is None


LOOPS = {
    "one word": "the " * 2000,
    "one sentence": "I am sorry, but I cannot do that. " * 300,
    "a paragraph": "First I look at it.\nThen I look again.\nIt is a red circle.\n\n" * 100,
    "after an answer": "The answer is 7.\n\n" + "Is there anything else? " * 300,
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_do_not(tokenizer: Tokenizer, name: str) -> None:
    ids = tokenizer.encode_text(LOOPS[name])
    count = first_alarm(ids)
    assert count is not None
    assert count < len(ids)
