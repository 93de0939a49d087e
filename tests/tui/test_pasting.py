"""Pastes and Alt with an arrow through a real pty: what is pasted is text, and never a key."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from gemma_tui.generation import TextDelta
from tests.tui.foreign_text import ESC, Program, missing, numbered, short
from tests.tui.naughty_strings import NAUGHTY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.tui.foreign_text import Numbered

START, END = "\x1b[200~", "\x1b[201~"
CTRL_U, ALT_UP = "\x15", "\x1b\x1b[A"
ENDLESS = [[TextDelta("and so on")]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def type_in_pieces(program: Program, *pieces: str) -> None:
    """Each piece is read by itself: the program shows that it has read the one before."""
    for piece in pieces:
        program.type(piece)
        program.read()


def has_all(program: Program, texts: Sequence[Numbered]) -> bool:
    return missing(texts, program.text) == []


def send(program: Program) -> None:
    """Press Enter until it is taken for the wish to send, and no longer for a part of the paste."""
    while "Ask Gemma" not in program.text:
        program.type("\r")
        program.read(0.2)
    program.shows("● ready")


def test_nothing_in_a_paste_stops_an_answer(home: Path) -> None:
    with closing(Program(home, replies=ENDLESS)) as program:
        program.shows("● ready")
        program.type("begin\r")
        program.shows("and so on")
        program.paste(f"one {ESC} two \x07 three \x03\x11{ESC}[A four {END}\rfive\x1b")
        program.shows("one ␛ two ␇ three ␃␑␛[A four ␛[201~")
        program.shows("five␛")
        type_in_pieces(program, START, f" six {ESC}", f"[A\x07 seven {ESC}[2", "01", "~")
        program.shows("six ␛[A␇ seven")
        program.shows("writing")
        assert "stopped" not in program.text
        program.type(ESC)
        program.shows("stopped")
        program.leave()
        assert program.foreign() == []


def test_an_end_marker_that_is_late_or_never_comes(home: Path) -> None:
    with closing(Program(home)) as program:
        program.shows("● ready")
        program.type(f"{START}first \x07")
        program.shows("first ␇")
        program.type(f" and {ESC} second\r{END}")
        program.shows("and ␛ second")
        program.type(f"{CTRL_U}{START}third \x07")
        program.shows("third ␇")
        program.type("!")  # a key: the end is lost
        program.shows("third ␇!")
        program.leave()
        assert program.foreign() == []


def test_alt_up_as_esc_and_up_opens_the_message_cursor_and_stops_nothing(home: Path) -> None:
    with closing(Program(home, replies=ENDLESS)) as program:
        program.shows("● ready")
        program.type("begin\r")
        program.shows("and so on")
        program.type(ALT_UP)
        program.shows("Esc back")
        assert "stopped" not in program.text
        assert "writing" in program.text
        program.type(ESC)
        program.shows("stopped")
        program.leave()


def test_naughty_pastes_are_shown_and_sent_as_text(home: Path) -> None:
    # What bytes can say, and without NUL, which is dropped.
    sent = (text.encode(errors="replace").decode().replace("\0", "") for text in NAUGHTY)
    texts = short(numbered(sent))
    with closing(Program(home, size=(100, 120))) as program:
        program.shows("● ready")
        for first in range(0, len(texts), 8):  # the composer shows 40 rows at most
            group = texts[first : first + 8]
            program.paste("\0\n".join(text.whole for text in group))
            program.until(partial(has_all, program, group), "a paste")
            send(program)
        program.leave()
        assert program.foreign() == []
