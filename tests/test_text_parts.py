"""How texts are cut: whole lines, rows and items, and never anything in between."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.text_file import decode_text, fenced, language_of
from gemma_tui.text_parts import GAP, TextParts, cut_out, is_partial, parts_of

TABLE = 'id;name\n1;"a\nb; c"\n2;"""d"""\n3;e\n'
ITEMS = '[\n  {"id": 1, "name": "x"},\n  [2, "]"], "a, b"\n]\n'


def chosen(name: str, text: str, *runs: range) -> tuple[str, str]:
    """What is sent of a text, and what is said about it."""
    segments = parts_of(name, text).segments(runs)
    return cut_out(text, segments), segments[0].label


def test_lines() -> None:
    text = "one\ntwo\n\nfour"
    assert chosen("a.txt", text, range(1, 3)) == ("two", "lines 2-3 of 4")
    assert chosen("a.txt", text, range(1), range(3, 4)) == (f"one\n{GAP}\nfour", "lines 1, 4 of 4")
    assert chosen("a.txt", text, range(2), range(1, 4)) == (text, "4 lines")


def test_rows_keep_their_header_and_what_is_quoted() -> None:
    parts = parts_of("a.csv", TABLE)
    assert (parts.unit, parts.count, parts.shape) == ("row", 3, "2 columns separated by semicolons")
    assert chosen("a.csv", TABLE, range(1)) == (
        'id;name\n1;"a\nb; c"',
        "row 1 of 3, 2 columns separated by semicolons",
    )
    assert chosen("a.csv", TABLE, range(2, 3))[0] == f"id;name\n{GAP}\n3;e"
    assert parts.whole(len(TABLE))[0].label == "3 rows, 2 columns separated by semicolons"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b,c\n1,2,3\n", "3 columns separated by commas"),
        ("a\tb\n1,5\t2\n", "2 columns separated by tabs"),
        ("a|b\n1|2\n", "2 columns separated by bars"),
        ('a,"x;y;z"\n1,"x;y;z"\n', "2 columns separated by commas"),
    ],
)
def test_delimiters_are_found(text: str, columns: str) -> None:
    assert parts_of("a.CSV", text).shape == columns


@pytest.mark.parametrize("text", ["", "\n", "a\nb\n", "a,b\n", '"'])
def test_what_is_no_table_is_cut_by_lines(text: str) -> None:
    assert parts_of("a.csv", text).unit == "line"


def test_items() -> None:
    parts = parts_of("a.json", ITEMS)
    assert (parts.unit, parts.count, parts.shape) == ("item", 3, "the first has id, name")
    sent, label = chosen("a.json", ITEMS, range(1, 3))
    assert json.loads(f"[{sent}]") == [[2, "]"], "a, b"]
    assert label == "items 2-3 of 3, the first has id, name"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (
            '{"a": [1, 2], "b": {"c": 1}, "d": "x", "e": null, "f": true, "g": 1.5}',
            "an object with 6 keys: a (a list of 2), b (an object of 1), d (a text), e (null),"
            " f (true or false), g (a number)",
        ),
        (json.dumps({str(n): n for n in range(9)}), "7 (a number), …"),
        ("[[1], 2]", "the first is a list of 1"),
        ("[{}, 2]", "the first is an object of 0"),
    ],
)
def test_shapes_of_json(text: str, shape: str) -> None:
    assert parts_of("a.json", text).shape.endswith(shape)


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", "3", "[1,]", "[" * 100_000, "1" * 5_000])
def test_what_has_no_items_is_cut_by_lines(text: str) -> None:
    parts = parts_of("a.json", text)
    assert (parts.unit, parts.shape) == ("line", "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(JSON, min_size=1, max_size=6), st.sampled_from([None, 1]), st.data())
def test_items_are_what_json_reads(
    items: list[object], indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(items, indent=indent, ensure_ascii=False)
    first = data.draw(st.integers(0, len(items) - 1))
    last = data.draw(st.integers(first, len(items) - 1))
    parts = parts_of("a.json", text)
    assert parts.count == len(items)
    sent = cut_out(text, parts.segments([range(first, last + 1)]))
    assert json.loads(f"[{sent.rstrip().removesuffix(',')}]") == items[first : last + 1]


CELL = st.text(alphabet='ab,;"\n', max_size=5)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=2, max_size=6), st.data())
def test_rows_are_what_csv_reads(rows: list[tuple[str, ...]], data: st.DataObject) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    parts = parts_of("a.csv", file.getvalue())
    assert parts.count == len(rows) - 1
    number = data.draw(st.integers(0, parts.count - 1))
    pieces = [
        file.getvalue()[slice(*piece)] for piece in (parts.head or (0, 0), parts.stretches[number])
    ]
    assert list(csv.reader(io.StringIO("".join(pieces)))) == [list(rows[0]), list(rows[number + 1])]


@given(st.text(alphabet="ab\n", max_size=40), st.integers(1, 30))
def test_a_beginning_is_whole_lines_and_fits(text: str, most: int) -> None:
    parts = parts_of("a.txt", text)
    segments = parts.beginning(most, len(text)) if text else ()
    sent = "".join(text[part.start : part.start + part.length] for part in segments)
    assert text.startswith(sent)
    assert len(sent) <= most
    if segments and not segments[0].label.startswith("characters"):
        assert sent == text[: len(sent)]
        assert sent.endswith("\n") or sent == text


@given(st.lists(st.integers(0, 8), min_size=1), st.integers(9, 12))
def test_parts_come_in_their_order_and_once(indexes: list[int], count: int) -> None:
    text = "".join(f"{number}\n" for number in range(count))
    sent, label = chosen("a.txt", text, *(range(index, index + 1) for index in indexes))
    assert [line for line in sent.split("\n") if line != GAP] == [
        str(index) for index in sorted(set(indexes))
    ]
    assert is_partial(label) == (len(set(indexes)) < count)


def test_a_line_that_is_too_long_is_cut() -> None:
    (segment,) = parts_of("a.txt", "x" * 100).beginning(10, 100)
    assert (segment.length, segment.label) == (10, "characters 1-10 of 100")
    assert is_partial(segment.label)
    (head,) = parts_of("a.csv", TABLE).beginning(9, len(TABLE))
    assert head.label.startswith("characters 1-9")


def test_what_a_prompt_says_of_a_part() -> None:
    assert fenced("a.csv", "x", "row 1 of 3") == "File “a.csv” (row 1 of 3):\n```csv\nx\n```"
    assert [language_of(name) for name in ("a.PY", "b.rs", "c.txt", "d", ".py")] == [
        *("python", "rust", "", "", "")
    ]


def test_no_parts_are_never_asked_for_any() -> None:
    assert TextParts("line", ()).fitting(5) == 1
    assert TextParts("line", ()).whole(0) == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are(encoding: str) -> None:
    text = "zwölf 字\r\nzwei"
    assert decode_text(text.encode(encoding), "a") == "zwölf 字\nzwei"
    assert decode_text(b"\xfe\xff" + text.encode("utf-16-be"), "a") == "zwölf 字\nzwei"
