"""Wrapping: nothing is lost, nothing is too wide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gemma_tui.tui.transcript.rows import Span, fold, wrap

WORDS = st.text(st.sampled_from("ab  c-漢字、（）👍e\u0301\n"), max_size=120)
SPANS = st.lists(st.tuples(WORDS, st.sampled_from(["", "strong"])), max_size=6)


def lines(text: str, width: int) -> list[str]:
    return ["".join(t for t, _ in spans) for spans, _ in wrap([(text, "")], width)]


def test_breaks_at_spaces() -> None:
    assert lines("one two three four", 9) == ["one two", "three", "four"]


def test_breaks_between_ideographs_but_not_before_a_full_stop() -> None:
    assert lines("今天天气。好", 8) == ["今天天", "气。好"]


def test_cuts_a_word_that_is_too_long() -> None:
    assert lines("a abcdefgh b", 4) == ["a", "abcd", "efgh", "b"]


def test_keeps_graphemes_together() -> None:
    family = "👩‍👩‍👧"
    assert lines(family * 3, 4) == [family * 2, family]


def test_keeps_indents_and_empty_lines() -> None:
    assert lines("  a\n\n   b", 20) == ["  a", "", "   b"]


@pytest.mark.parametrize("width", [1, 2, 3, 7, 40])
@given(spans=SPANS)
def test_everything_is_kept_and_fits(width: int, spans: list[Span]) -> None:
    plain = "".join(text for text, _ in spans)
    rows = wrap(spans, width)
    texts = ["".join(text for text, _ in piece) for piece, _ in rows]
    assert "".join(texts).replace(" ", "").replace("\n", "") == "".join(plain.split(" ")).replace(
        "\n", ""
    )
    assert sum(join == "\n" for _, join in rows) == plain.count("\n") + 1
    for text in texts:
        assert cell_len(text.rstrip(" ")) <= max(width, 2)


@given(spans=SPANS)
def test_copying_restores_the_text(spans: list[Span]) -> None:
    plain = "".join(text for text, _ in spans)
    copied = "".join(
        (join if number else "") + "".join(text for text, _ in piece)
        for number, (piece, join) in enumerate(wrap(spans, 10))
    )
    assert copied.split() == plain.split()


@given(st.text(st.sampled_from("ab \t漢👍"), max_size=80), st.integers(1, 20))
def test_fold_keeps_every_character(text: str, width: int) -> None:
    rows = fold([(text, "code")], width)
    assert "".join(t for spans, _ in rows for t, _ in spans) == text
    assert all(sum(cell_len(t) for t, _ in spans) <= max(width, 2) for spans, _ in rows)
