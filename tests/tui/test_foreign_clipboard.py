"""What is copied by way of the terminal: base64, harmless, and no longer than a terminal takes."""

from __future__ import annotations

import re
from base64 import b64decode
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.generation import TextDelta
from gemma_tui.sanitize import sanitize
from gemma_tui.tui.clipboard import MAX_TERMINAL_BYTES
from tests.tui.foreign_text import END, Program, numbered, short
from tests.tui.naughty_strings import NAUGHTY
from tests.tui.terminal_grammar import Grammar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.foreign_text import Reply


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_what_is_copied(home: Path) -> None:
    answer = "".join(text.whole for text in short(numbered(NAUGHTY))).replace("\r", "")
    replies: list[Reply] = [[TextDelta(answer), TextDelta(" end"), END]]
    with closing(Program(home, replies=replies, size=(120, 50))) as program:
        program.shows("● ready")
        program.type("one\r")
        program.shows(" end")
        program.shows("● ready")
        program.type("/copy\r")
        program.shows("is copied")
        program.leave()
        copies = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", program.written)
        (copied,) = (b64decode(copy).decode() for copy in copies)
        assert copied == sanitize(f"{answer} end")
        assert program.foreign(Grammar(clipboard=frozenset({copied}))) == []


def test_what_is_too_long_for_a_terminal_is_not_written(home: Path) -> None:
    long = "word " * (MAX_TERMINAL_BYTES // 5 + 1)
    with closing(Program(home, replies=[[TextDelta(long), END]], size=(120, 50))) as program:
        program.shows("● ready")
        program.type("one\r")
        program.shows("tokens/s")
        program.shows("● ready")
        program.type("/copy\r")
        program.shows("too long for the terminal")
        program.leave()
        assert b"\x1b]52" not in program.written
        assert program.foreign() == []
