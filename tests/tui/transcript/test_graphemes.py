"""Wide and combined characters: nothing is cut, lost, or wider than the screen."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gemma_tui.sanitize import sanitize
from gemma_tui.tui.transcript.graphemes import graphemes, whole_graphemes
from gemma_tui.tui.transcript.rows import wrap
from tests.tui.transcript.drawing import draw, message
from tests.tui.transcript.test_widget import TranscriptApp

FAMILY = "👩\u200d👩\u200d👧\u200d👦"
CHARACTERS = (
    FAMILY, "🇩🇪", "🇫🇷", "👍🏽", "❤\ufe0f", "1\ufe0f\u20e3", "〰\ufe0f", "か\u3099", "e\u0301\u0323",
    "漢", "字", "、", "「", "한", "\u1112\u1161\u11ab", "न्दी", "ก็", "שָׁ", "ﷺ", "م", "a", "b", " ", "-", "👧", "⛹🏽\u200d♀\ufe0f",
)  # fmt: skip
WIDE = st.lists(st.sampled_from(CHARACTERS), max_size=40).map("".join)
ANY = st.one_of(WIDE, st.text(max_size=60))
WIDTHS = (1, 2, 3, 7, 20, 61)


@pytest.mark.parametrize("character", [c for c in CHARACTERS if c not in (" ", "-", "न्दी")])
def test_each_is_one_grapheme(character: str) -> None:
    assert [start for start, _ in graphemes(f"x{character}y")] == [0, 1, 1 + len(character)]


@given(text=ANY)
def test_graphemes_cover_the_text_and_its_width(text: str) -> None:
    tidy = sanitize(text)
    starts = [start for start, _ in graphemes(tidy)]
    assert starts == sorted(set(starts))
    assert starts[:1] == [0] * bool(tidy)


@given(text=WIDE, width=st.sampled_from(WIDTHS))
def test_no_row_ends_inside_a_grapheme(text: str, width: int) -> None:
    starts = {start for start, _ in graphemes(text)}
    at = 0
    for spans, _ in wrap([(text, "")], width):
        row = "".join(piece for piece, _ in spans)
        while text[at : at + len(row)] != row or (row and at not in starts):
            assert text[at] == " "  # only white space is dropped at a break
            at += 1
        at += len(row)


@given(text=WIDE, cuts=st.lists(st.integers(0, 200), max_size=6))
def test_spans_take_whole_graphemes(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    spans = [(text[a:b], str(a)) for a, b in pairwise(edges)]
    whole = whole_graphemes(spans)
    assert "".join(piece for piece, _ in whole) == text
    starts = {start for start, _ in graphemes(text)} | {len(text)}
    at = 0
    for piece, _ in whole:
        assert at in starts
        at += len(piece)


@given(text=ANY, width=st.sampled_from(WIDTHS))
def test_rows_fit_and_lose_nothing(text: str, width: int) -> None:
    rows = draw(text, width)
    widest = max((cells for _, cells in graphemes(sanitize(text))), default=0)
    for row in rows:
        assert sum(cell_len(piece) for piece, _ in row.spans) <= max(width, widest, 1)


async def test_every_character_reaches_the_screen_at_any_width() -> None:
    text = "".join(CHARACTERS) * 3 + " **bold " + FAMILY + "** `" + "漢🇩🇪" * 9 + "` שלום עולם مرحبا"
    wanted = re.sub(r"[\s*`]", "", text)
    app = TranscriptApp()
    async with app.run_test(size=(80, 200)) as pilot:
        app.transcript.show([message(1, "model", text)])
        for width in (80, 61, 33, 14):
            await pilot.resize_terminal(width, 200)
            await pilot.pause()
            strips = [app.transcript.render_line(y) for y in range(2, 200)]
            assert re.sub(r"\s", "", "".join(strip.text for strip in strips)) == wanted
            assert {strip.cell_length for strip in strips} == {app.transcript.size.width}


async def test_a_found_part_of_a_grapheme_marks_all_of_it() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(40, 10)):
        app.transcript.show([message(1, "user", f"a {FAMILY} b")])
        app.transcript.find("👧")
        strip = app.transcript.render_line(2)
        assert FAMILY in [segment.text for segment in strip]
        assert strip.text.rstrip() == f"▌ a {FAMILY} b"


def test_bidi_controls_are_visible_and_rtl_stays_in_logical_order() -> None:
    (row,) = draw("\u202eשלום\u2066 abc\u200f")
    assert row.text == "\ufffdשלום\ufffd abc\ufffd"


def test_tabs_are_spaces() -> None:
    assert [row.text for row in draw("a\tb")] == ["a   b"]
