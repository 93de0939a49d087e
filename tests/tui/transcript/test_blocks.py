"""Cutting streamed Markdown: the same leaves however it arrives, and the right ones."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gemma_tui.tui.transcript.blocks import MarkdownBlocks
from gemma_tui.tui.transcript.leaves import Code, Paragraph, Table, TableRows
from tests.tui.transcript.drawing import draw, leaves_of, pieces, rows_of, shown

ANSWER = """# Title

Some *emphasis*, **bold**, `code`
and a second line.

- one
- two
  - nested
    1. deep
    2. deeper
- three

> quoted
> > twice
> - listed

1. first
1. second

   with a paragraph
   ```python
   def f() -> str:
       return "x"
   ```
7. third

| a | b |
|:--|--:|
| 1 | 2 |

---
The end
===
"""
LINES = st.sampled_from(
    [
        *ANSWER.split("\n"),
        "",
        "```",
        "~~~~ js",
        "    indented",
        "\ttab",
        "***",
        "- ",
        "2) x",
        "> ",
        "|-|",
        "**open",
        "x" * 900,
        "word " * 400,
        "windows\r",
        "<b>html</b>",
        "&#27;[2J",
    ]
)
DOCUMENTS = st.lists(LINES, max_size=30).map("\n".join)


@settings(max_examples=60, deadline=None)
@example("> \n    indented\n# Title", [17])
@example("#\nwords", [])
@given(DOCUMENTS, st.lists(st.integers(0, 5000), max_size=12))
def test_pieces_do_not_matter(text: str, cuts: list[int]) -> None:
    streamed = leaves_of(MarkdownBlocks(), pieces(text, cuts))
    assert rows_of(streamed) == draw(text)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64])
def test_an_answer_streamed_evenly(step: int) -> None:
    assert draw(ANSWER, step=step) == draw(ANSWER)


def test_an_answer_looks_right() -> None:
    assert shown(ANSWER) == [
        "Title",
        "",
        "Some emphasis, bold, code",
        "and a second line.",
        "",
        "• one",
        "• two",
        "  ◦ nested",
        "    1. deep",
        "    2. deeper",
        "• three",
        "",
        "▎ quoted",
        "▎ ▎ twice",
        "▎ • listed",
        "",
        "1. first",
        "2. second",
        "",
        "   with a paragraph",
        "",
        "    python",
        "    def f() -> str:",
        '        return "x"',
        "",
        "3. third",
        "",
        "a   │   b",
        "────┼────",
        "1   │   2",
        "",
        "─" * 60,
        "",
        "The end",
    ]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("text\n***\nmore", ["text", "", "─" * 60, "", "more"]),
        ("para\n- item", ["para", "• item"]),
        ("1986. A year", ["1986. A year"]),
        ("in\n1986. A year", ["in", "1986. A year"]),
        ("a\n    b", ["a", "b"]),
        ("    code\n\n    more\nafter", [" code", "", " more", "", "after"]),
        ("> a\nlazy\n\nout", ["▎ a", "▎ lazy", "", "out"]),
        ("- a\n\n- b", ["• a", "", "• b"]),
        ("-\n- b", ["•", "• b"]),
        ("- [ ] todo", ["• [ ] todo"]),
        ("```\nunclosed\n- x", [" unclosed", " - x"]),
        ("```\n```", []),
        ("````\n```\n````", [" ```"]),
        ("# ", [""]),
        ("#nothing", ["#nothing"]),
        ("## closed ##", ["closed"]),
        ("a | b\n--|--\n1", ["a   │ b", "────┼────", "1   │"]),
        ("a | b\nnot a table", ["a | b", "not a table"]),
        ("windows\r\nlines\r\n", ["windows", "lines"]),
    ],
)
def test_small_cases(text: str, rows: list[str]) -> None:
    assert shown(text) == rows


PLAIN = st.text(st.sampled_from("abc d,.é漢"), max_size=3000).map(
    lambda text: " ".join(text.split())
)


@settings(max_examples=40, deadline=None)
@given(PLAIN, st.integers(5, 120))
def test_a_paragraph_is_complete_and_wrapped_as_one(text: str, width: int) -> None:
    rows = draw(text, width)
    copied = "".join((row.join if n else "") + row.text for n, row in enumerate(rows))
    assert copied.split() == text.split()


def test_a_long_paragraph_has_no_seams() -> None:
    text = "some words of different length in one paragraph " * 400
    rows = [row.text.rstrip() for row in draw(text, 50)]
    # Greedy wrapping of one text: no row could have taken the first word of the next one…
    early = [a for a, b in itertools.pairwise(rows) if len(a) + 1 + len(b.split()[0]) <= 50]
    # …but at the few places where pieces stop sharing rows.
    assert len(early) <= 1 + len(text) // (16 * 800)


def test_lists_and_code_and_tables_are_finished_in_pieces() -> None:
    code = leaves_of(MarkdownBlocks(), ["```python\n" + "x = 1\n\n" * 200 + "```\n"])
    assert all(isinstance(leaf, Code) and len(leaf.lines) <= 40 for leaf in code)
    assert len(code) > 5
    table = leaves_of(MarkdownBlocks(), ["|a|b|\n|-|-|\n" + "|1|2|\n" * 200])
    assert isinstance(table[0], Table)
    assert all(isinstance(leaf, TableRows) and leaf.table.rows for leaf in table[1:])
    assert sum(len(leaf.rows) for leaf in table if isinstance(leaf, Table | TableRows)) == 200
    items = leaves_of(MarkdownBlocks(), ["- item\n" * 300])
    assert len(items) == 300


def test_code_keeps_every_line() -> None:
    lines = [f"line {n}" + " " * (n % 3) for n in range(500)]
    leaves = leaves_of(MarkdownBlocks(), ["```\n" + "\n".join(lines) + "\n```"])
    assert [line for leaf in leaves if isinstance(leaf, Code) for line in leaf.lines] == lines


def test_one_long_line_of_code_is_one_line() -> None:
    rows = draw("```\n" + "x" * 5000 + "\n```", 42)
    assert sum(row.join == "\n" for row in rows) == 1
    assert "".join(row.text for row in rows).count("x") == 5000


def test_what_is_undecided_is_not_shown_yet() -> None:
    blocks = MarkdownBlocks()
    blocks.feed("text\n\n--")
    assert blocks.tail() == []
    assert blocks.feed("-\n")
    blocks.feed("\n``")
    assert blocks.tail() == []
    assert [leaf.text for leaf in blocks.close() if isinstance(leaf, Paragraph)] == ["``"]


@pytest.mark.parametrize(
    "bomb",
    [
        *(character * 10_000 for character in ">[*_`~<|#-!("),
        "> " * 5000,
        "- " * 5000,
        "![[" * 4000,
        "[a](" * 3000,
        "**a " * 3000,
        "1. " * 4000,
        "|a" * 3000 + "\n" + "|-" * 3000 + "\n" + "|b" * 3000,
        "&#27;" * 2000,
        "a" + "\u0301" * 10_000,
        "x" * 1_000_00,
    ],
    ids=lambda bomb: bomb[:4],
)
def test_bombs_take_bounded_time(bomb: str) -> None:
    begin = time.process_time()
    rows = draw(bomb)
    # Time of the processor, and far above what it takes: only growth out of bounds reaches it.
    assert time.process_time() - begin < 10
    assert rows or not bomb.strip("`#-> ")


def test_marks_do_not_pile_up() -> None:
    (row,) = draw("Z" + "\u0301" * 200 + "algo")
    assert row.text.count("\u0301") == 8


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        "a\n\n- b\n  c\n\n  d\n- e\n\nf",
        "1. a\n   - b\n     - c\n2. d",
        "> a\n> b\n\nc",
        "# h\ntext\n## h2\n- x\n\n```js\ncode\n```\nend",
        "* a\n\n  para\n\n* b\n\nafter",
        "- a\n\n      code in item\n- b",
        "x\n=\ny\n-\nz",
        "> - a\n>   b\n> - c\n\n1) d\n2) e",
    ],
)
def test_agrees_with_a_complete_parser(text: str) -> None:
    """The same paragraphs, headings and code, in the same order, as markdown-it finds."""
    expected = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "inline":
            expected.append(token.content)
        elif token.type in {"fence", "code_block"}:
            expected.append(token.content.rstrip("\n"))
    found: list[str] = []
    for leaf in leaves_of(MarkdownBlocks(), [text]):
        match leaf:
            case Paragraph(text=content):
                found.append(content)
            case Code(lines=lines):
                found.append("\n".join(lines))
            case Table(header=header, rows=rows):
                found.extend(cell for cells in (header, *rows) for cell in cells)
    assert found == expected
