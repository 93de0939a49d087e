"""The grammar refuses what it should: else nothing that is held to it would be shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.line_filter import SafeLines
from gemma_tui.tui.window_title import MAX_CELLS, WindowTitle
from tests.tui.naughty_strings import ACTING, HIDING, NAUGHTY
from tests.tui.terminal_grammar import Grammar

GRAMMAR = Grammar()
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))

OWN = (
    "\x1b[0m\x1b[1;4;38;2;1;2;3;48;2;4;5;6m\x1b[38;5;9;48;5;10m\x1b[3;9m\x1b[97;107m",
    "\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[12;1H\x1b[?2004l\x1b[?1049l\x1b[?25h\r\n",
    "\x1b[?2026h\x1b[1;1Hx\x1b[?2026l\x1b[?2026$p\x1b[?2048$p\x1b[>25u\x1b[<u",
    "\x1b]22;text\x07\x1b]22;default\x07",
    "👩‍👩‍👧‍👦 ❤️ می‌خواهم क्‍ष e\u0301 漢字 ١٢٣\u0600",
)


@pytest.mark.parametrize("text", OWN)
def test_what_it_writes_itself_is_allowed(text: str) -> None:
    assert GRAMMAR.foreign(text.encode()) == []


@pytest.mark.parametrize("text", [*ACTING[:2], *ACTING[3:], *HIDING], ids=ascii)
def test_what_acts_or_hides_is_foreign_in_a_frame(text: str) -> None:
    written = f"\x1b[1;1H{text}\x1b[2;1H".encode(errors="surrogatepass")
    is_harmless = sanitize_line(text) == text
    assert bool(GRAMMAR.foreign(written)) is not is_harmless


@pytest.mark.parametrize("text", [*ACTING, *HIDING], ids=ascii)
def test_what_acts_or_hides_is_foreign_in_lines(text: str) -> None:
    written = f"a line: {text}.\r\n".encode(errors="surrogatepass")
    is_harmless = sanitize(text) == text
    assert bool(Grammar(draws=False).foreign(written)) is not is_harmless


@pytest.mark.parametrize(
    "text",
    ["\x1b[8m", "\x1b[38;2;1;2m", "\x1b[3q", "\x1b]52;c;eA==\x07", "\x1b]8;;x\x07",
     "\x1b[?1001h", "\x1b[?9h", "\x1b[6n", "\x1bc", "\x1b7", "\x1b", "\x1b[", "\x9b31m", "\x7f", "\x07", "\x0e"],
    ids=ascii,
)  # fmt: skip
def test_what_others_write_is_foreign(text: str) -> None:
    assert GRAMMAR.foreign(text.encode()) != []


def test_only_what_was_copied_may_be_put_into_the_clipboard() -> None:
    grammar = Grammar(clipboard=frozenset({"x"}))
    assert grammar.foreign(b"\x1b]52;c;eA==\x07") == []
    assert grammar.foreign(b"\x1b]52;c;eQ==\x07") != []


KEPT = "\x1b[22;0t\x1b]0;x\x07"
BACK = "\x1b]0;\x07\x1b[23;0t"


def test_only_a_borrowed_title_is_shown_and_it_is_given_back() -> None:
    grammar = Grammar(titles=frozenset({"x", "y"}))
    assert grammar.foreign(f"{KEPT}\x1b]0;y\x07{BACK}{KEPT}{BACK}".encode()) == []


@pytest.mark.parametrize(
    "text",
    [
        KEPT, f"{KEPT}{KEPT}{BACK}", f"{KEPT}\x1b[23;0t", "\x1b]0;x\x07", BACK, f"{KEPT}\x1b]0;z\x07{BACK}",
        f"{KEPT}\x1b]2;x\x07{BACK}", f"{KEPT}\x1b]0;x\x1b\\{BACK}", f"{KEPT}\x1b[22;2t{BACK}", f"{KEPT}\x1b[21t{BACK}",
        f"{KEPT}\x1b]0;\x07 \x1b[0m\x1b[23;1t",
    ],
    ids=ascii,
)  # fmt: skip
def test_any_other_use_of_a_title_is_foreign(text: str) -> None:
    assert Grammar(titles=frozenset({"x"})).foreign(text.encode()) != []


def test_the_bell_rings_as_often_as_it_may() -> None:
    assert Grammar(rings=1).foreign(b"\x1b[0m\x07\x1b[0m") == []
    assert Grammar(rings=1).foreign(b"\x07\x1b[0m\x07") != []
    assert Grammar(rings=1).foreign(b"text \x07") != []


@given(ANY_TEXT)
def test_no_text_in_a_title_acts(text: str) -> None:
    written: list[str] = []
    title = WindowTitle(written.append)
    title.show(f"x{text}")
    shown = re.fullmatch(r"\x1b\[22;0t\x1b\]0;(x[^\x00-\x1f\x7f-\x9f]*)\x07", "".join(written))
    assert shown is not None
    assert cell_len(shown[1]) <= MAX_CELLS
    assert sanitize_line(shown[1]) == shown[1]
    title.restore()
    title.restore()
    assert Grammar(titles=frozenset({shown[1]})).foreign("".join(written).encode()) == []


def test_bytes_that_are_no_text_are_foreign() -> None:
    assert GRAMMAR.foreign(b"a\x9b31m") != []
    assert GRAMMAR.foreign(b"\xed\xa0\x80") != []


@given(ANY_TEXT)
def test_any_text_is_harmless_once_sanitised(text: str) -> None:
    assert GRAMMAR.foreign(sanitize_line(text).encode()) == []


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT)))
def test_nothing_foreign_passes_the_last_choke_point(texts: list[tuple[str, str]]) -> None:
    segments = [Segment(text, Style(bold=True, link=link or None)) for text, link in texts]
    segments.append(Segment(NAUGHTY[0], None, [(1,)]))  # type: ignore[list-item]
    strip = Strip(SafeLines().apply(segments, Color(0, 0, 0)))
    from rich.console import Console

    written = strip.render(
        Console(force_terminal=True, color_system="truecolor", legacy_windows=False)
    )
    assert GRAMMAR.foreign(written.encode()) == []
