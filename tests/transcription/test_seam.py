"""Words that two clips share are said once; a speaker's own repetition stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.transcription.seam import MOST_WORDS, join_at_seam


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("four seven two", "two nine", ("four seven two", "nine")),
        ("four seven two", "seven two nine", ("four seven two", "nine")),
        ("Then we went home.", "We went home, and slept.", ("Then we went home.", "and slept.")),
        ("we saw", "it rain", ("we saw", "it rain")),
        ("no no", "no no no", ("no no", "no")),
        ("", "one", ("", "one")),
        ("one", "", ("one", "")),
        # A border cuts a word: what is left of it is dropped where the whole word is at hand.
        ("seven eight thr", "eight three four", ("seven eight", "three four")),
        ("seven eight three", "ven eight three four", ("seven eight three", "four")),
        ("six seven eight thr", "ven eight three four", ("six seven eight", "three four")),
        ("seven eight nine", "eight three four", ("seven eight nine", "eight three four")),
        ("昨日は雨", "は雨でした", ("昨日は雨", "でした")),
        ("...", "... and", ("...", "... and")),
    ],
)
def test_joins(before: str, after: str, joined: tuple[str, str]) -> None:
    assert join_at_seam(before, after) == joined


words = st.lists(st.sampled_from(["one", "two", "three", "on"]), max_size=20).map(" ".join)


@given(words, words)
def test_nothing_but_the_border_changes(before: str, after: str) -> None:
    first, second = join_at_seam(before, after)
    assert before.startswith(first)
    assert after.endswith(second)
    lost = len(before.split()) + len(after.split()) - len(first.split()) - len(second.split())
    assert 0 <= lost <= MOST_WORDS + 2


@given(words)
def test_what_was_heard_twice_is_there_once(text: str) -> None:
    heard = text.split()
    if len(set(heard)) == len(heard):  # else more than one place may be the border
        tail = " ".join(heard[-MOST_WORDS:])
        assert join_at_seam(text, f"{tail} zero".strip()) == (text, "zero")
