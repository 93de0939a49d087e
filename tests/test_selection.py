"""Which parts of a file a text names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.errors import UsageError
from gemma_tui.selection import (
    describe_selection,
    labelled_count,
    page_label,
    parse_selection,
    selected,
)


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("1-5, 8", [0, 1, 2, 3, 4, 7]),
        ("3", [2]),
        ("8-", [7, 8, 9]),
        ("-2", [0, 1]),
        ("all", list(range(10))),
        (" ALL ", list(range(10))),
        ("2,2, 1-3,", [0, 1, 2]),
        ("9–400", [8, 9]),
        ("9-" + "9" * 900, [8, 9]),
        ("10 - 10", [9]),
    ],
)
def test_selections(text: str, indexes: list[int]) -> None:
    assert list(selected(parse_selection(text, 10, "page"))) == indexes


@pytest.mark.parametrize(
    "text", ["", " ", ",", "-", "0", "0-3", "5-2", "a", "1;2", "1-2-3", "1.5", "²", "٣", "1" * 1001]
)
def test_what_is_no_selection(text: str) -> None:
    with pytest.raises(UsageError, match="does not say which pages") as caught:
        parse_selection(text, 10, "page")
    assert "1-5, 8" in caught.value.hint


@pytest.mark.parametrize(("count", "words"), [(10, "the file has 10 lines"), (1, "has one line")])
def test_what_is_not_there(count: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_selection("11-", count, "line")


@given(st.sets(st.integers(0, 400), min_size=1))
def test_what_is_described_is_read_again(indexes: set[int]) -> None:
    text = describe_selection(sorted(indexes))
    assert (
        set(selected(parse_selection(text[:1000].rpartition(",")[0] or text, 401, "page")))
        <= indexes
    )
    if len(text) <= 1000:
        assert set(selected(parse_selection(text, 401, "page"))) == indexes


@given(st.text(alphabet="0123456789-–, al", max_size=30), st.integers(1, 50))
def test_a_selection_names_what_is_there_or_says_why_not(text: str, count: int) -> None:
    try:
        found = selected(parse_selection(text, count, "row"))
    except UsageError:
        return
    assert found
    assert list(found) == sorted(set(found))
    assert 0 <= found[0] <= found[-1] < count


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_label_says_how_many_there_are(index: int, more: int) -> None:
    assert labelled_count(page_label(index, index + 1 + more)) == index + 1 + more


@pytest.mark.parametrize("label", ["", "00:03", "page 1", "page 1 of ²", "page 1 of 3 "])
def test_other_labels_count_nothing(label: str) -> None:
    assert labelled_count(label) == 0
