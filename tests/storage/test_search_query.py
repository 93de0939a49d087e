"""What a query means, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.storage.search import snippet
from gemma_tui.storage.search_query import SearchQuery, Term, to_index


@pytest.mark.parametrize(
    ("text", "terms", "without"),
    [
        ("Red  café", (Term(("red",), True), Term(("cafe",), True)), ()),
        ('"Red Café"', (Term(("red", "cafe"), False),), ()),
        ("“smart quotes”", (Term(("smart", "quotes"), False),), ()),
        ('"never closed', (Term(("never", "closed"), False),), ()),
        ("red -blue", (Term(("red",), True),), (Term(("blue",), False),)),
        ('-"no phrase" x', (Term(("x",), False),), (Term(("no", "phrase"), False),)),
        ("well-known --x", (Term(("well", "known"), True),), (Term(("x",), False),)),
        ("snake_case()", (Term(("snake", "case"), True),), ()),
        ("今天 天气", (Term(("今", "天"), False), Term(("天", "气"), False)), ()),
        ("red red", (Term(("red",), True),), ()),
        (
            'AND OR NOT NEAR( ^ * : {} + "" - ',
            (*(Term((w,), True) for w in ("and", "or", "not", "near")),),
            (),
        ),
        ("\x00 \ud800 ☃ \n", (), ()),
        ("cafe\u0301", (Term(("cafe",), True),), ()),
    ],
)
def test_a_query_is_read(text: str, terms: tuple[Term, ...], without: tuple[Term, ...]) -> None:
    assert SearchQuery.parse(text) == SearchQuery(terms, without)


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("caf", "Café, CAFÉ cafe\u0301 decaf", ["Café", "CAFÉ", "cafe\u0301"]),
        ('"caf"', "Café caf", ["caf"]),
        ('"red cat"', "a red,\n cat; red black cat", ["red,\n cat"]),
        ("re", "Red red_cat shred", ["Red", "red"]),
        ("x", "x xy X", ["x", "X"]),
        ("天气", "今天天气很好", ["天气"]),
        ("天abc", "x天abcd", ["天abcd"]),
        ("คน", "คนไทย", ["คน"]),
        ("всё моё", "Всё мое", ["Всё", "мое"]),
        ("λογος", "Λόγος, λόγοι", ["Λόγος"]),
        ("학교", "학교에 간다", ["학교에"]),
        ("red redder", "redder", ["redder"]),
        ("red -cat", "red cat", ["red"]),
        ("", "red", []),
    ],
)
def test_matches_are_found_where_they_stand(query: str, text: str, found: list[str]) -> None:
    ranges = SearchQuery.parse(query).ranges(text)
    assert [text[start:end] for start, end in ranges] == found


def test_everything_must_be_there_and_nothing_that_is_not_wanted() -> None:
    good = ["the big cat is reddish", "red, big cat, dogs"]
    bad = ["the big cat", "the big red cat", "red, big cat, dog"]
    query = SearchQuery.parse('red "big cat" -dog')
    assert list(query.filter([*good, *bad])) == [True, True, False, False, False]
    for nothing in ("", "-dog"):
        assert list(SearchQuery.parse(nothing).filter(["red"])) == [False]


def test_a_pasted_page_is_no_endless_query() -> None:
    query = SearchQuery.parse(" ".join(f"word{n}" for n in range(5000)) + ' "' + "x " * 5000 + '"')
    assert len(query.terms) == 32
    assert max(len(term.words) for term in SearchQuery.parse("天" * 5000).terms) == 64


def test_a_snippet_is_one_line_around_the_first_match() -> None:
    text = "before " * 50 + "\n\n  the red\n\tcat  " + "after " * 50
    line, ranges = snippet(SearchQuery.parse('"red cat"'), text)
    assert [line[start:end] for start, end in ranges] == ["red cat"]
    assert line.startswith("…before")
    assert line.endswith("…")
    assert len(line) < 220
    assert snippet(SearchQuery.parse("cat"), "cat") == ("cat", ((0, 3),))
    assert snippet(SearchQuery.parse("dog"), "cat") == ("cat", ())


@given(st.text())
def test_no_query_is_wrong(text: str) -> None:
    query = SearchQuery.parse(text)
    for term in (*query.terms, *query.without):
        assert term.words
        assert all(word.isalnum() for word in term.words)


@given(st.text(), st.text())
def test_ranges_are_apart_in_order_and_inside(query: str, text: str) -> None:
    ranges = SearchQuery.parse(query).ranges(text)
    flat = [place for span in ranges for place in span]
    assert flat == sorted(set(flat))
    assert all(0 <= place <= len(text) for place in flat)


def unquoted() -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_characters='"“”„«»'))


@given(unquoted())
def test_a_text_is_found_by_its_own_words(text: str) -> None:
    query = SearchQuery.parse(f'"{text}"')
    assert query.is_empty or any(query.filter([text])) or len(query.terms[0].words) == 64


@given(unquoted())
def test_what_is_indexed_are_the_words_that_are_asked_for(text: str) -> None:
    words = to_index(text)
    assert SearchQuery.parse(f'"{words}"') == SearchQuery.parse(f'"{text}"')
