"""Keys and pastes as terminals send them, in pieces of any size and at any time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.constants import ESCAPE_DELAY

from gemma_tui.tui.key_parser import KeyParser
from gemma_tui.tui.terminal_input import OVERDUE_SECONDS, SETTLE_SECONDS, TerminalInput
from tests.tui.naughty_strings import NAUGHTY

if TYPE_CHECKING:
    from textual.message import Message

START, END, ESC = "\x1b[200~", "\x1b[201~", "\x1b"
CTRL_G = "\x07"


class Keyboard:
    """A terminal input with a clock that a test moves; remembers what came out of it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.input = TerminalInput(KeyParser(), lambda: self.now)
        self.events: list[Message] = []

    def type(self, *pieces: str, pause: float = 0.0) -> None:
        for piece in pieces:
            self.events += self.input.feed(piece)
            self.wait(pause)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.events += self.input.tick()

    @property
    def keys(self) -> list[str]:
        return [event.key for event in self.events if isinstance(event, events.Key)]

    @property
    def pastes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, events.Paste)]


@pytest.fixture
def keyboard() -> Keyboard:
    return Keyboard()


def cut(text: str, places: list[int]) -> list[str]:
    """`text` in pieces, as reads of any size bring it."""
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(ends) if a < b]


def joined(pastes: list[str]) -> str:
    """Pastes as one text: where one ends and another begins at once, they are two."""
    return "".join(pastes).replace("\x00", "").replace(END + START, "")


ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(
        st.sampled_from(["\x1b", "\x1b[", "201~", "200~", START, "\x07", "\r", "\x9b", "ä", "[A"])
    ).map("".join),
    st.sampled_from([text.encode(errors="replace").decode() for text in NAUGHTY]),
)


@given(ANY_TEXT, st.lists(st.integers(0, 1000), max_size=8))
def test_a_paste_arrives_whole_and_presses_no_key(text: str, places: list[int]) -> None:
    keyboard = Keyboard()
    keyboard.type(*cut(f"{START}{text}{END}", places))
    keyboard.wait(SETTLE_SECONDS)
    keyboard.wait(ESCAPE_DELAY)
    assert keyboard.keys == []
    assert joined(keyboard.pastes) == joined([text])
    assert len(keyboard.pastes) == 1 or END + START in text


@given(ANY_TEXT, ANY_TEXT, st.lists(st.integers(0, 1000), max_size=8))
def test_an_end_marker_in_a_paste_does_not_end_it(a: str, b: str, places: list[int]) -> None:
    keyboard = Keyboard()
    keyboard.type(*cut(f"{START}{a}{END}\r{b}{END}", places))
    keyboard.wait(SETTLE_SECONDS)
    keyboard.wait(ESCAPE_DELAY)
    assert keyboard.keys == []
    assert joined(keyboard.pastes) == joined([f"{a}{END}\r{b}"])


@given(st.text("abc\x1b[A~\r\x01é<0;1Mm"), st.lists(st.integers(0, 1000), max_size=8))
def test_without_a_paste_keys_depend_on_no_cut(text: str, places: list[int]) -> None:
    whole, pieces = Keyboard(), Keyboard()
    whole.type(text)
    pieces.type(*cut(text, places))
    for keyboard in (whole, pieces):
        keyboard.wait(ESCAPE_DELAY)
    assert pieces.keys == whole.keys


def test_two_pastes_in_a_row_are_two(keyboard: Keyboard) -> None:
    keyboard.type(f"{START}/a b.png{END}{START}/c.png{END}")
    keyboard.wait(SETTLE_SECONDS)
    assert keyboard.pastes == ["/a b.png", "/c.png"]


def test_reports_between_two_pastes_are_no_part_of_them(keyboard: Keyboard) -> None:
    keyboard.type(f"{START}one{END}\x1b[I\x1b[<35;3;4M{START}two{END}")
    keyboard.wait(SETTLE_SECONDS)
    assert keyboard.pastes == ["one", "two"]
    assert any(isinstance(event, events.AppFocus) for event in keyboard.events)


def test_an_enter_between_two_pastes_in_one_burst_is_pasted(keyboard: Keyboard) -> None:
    keyboard.type(f"{START}one{END}\r{START}two{END}")
    keyboard.wait(SETTLE_SECONDS)
    assert keyboard.keys == []
    assert keyboard.pastes == [f"one{END}\r{START}two"]


def test_keys_behind_a_paste_come_after_it(keyboard: Keyboard) -> None:
    keyboard.type(f"{START}words{END}\r")
    assert keyboard.events == []
    keyboard.wait(SETTLE_SECONDS)
    paste, enter = keyboard.events
    assert isinstance(paste, events.Paste)
    assert isinstance(enter, events.Key)
    assert enter.key == "enter"


def test_moving_the_mouse_does_not_hold_a_paste_back(keyboard: Keyboard) -> None:
    keyboard.type(f"{START}words{END}")
    for _ in range(3):
        keyboard.type("\x1b[<35;3;4M", pause=SETTLE_SECONDS / 3)
    keyboard.wait(0.001)
    assert keyboard.pastes == ["words"]


def test_esc_before_a_paste_is_a_key(keyboard: Keyboard) -> None:
    keyboard.type(f"{ESC}{START}words{END}")
    keyboard.wait(SETTLE_SECONDS)
    assert keyboard.keys == ["escape"]
    assert keyboard.pastes == ["words"]


def test_a_late_end_loses_nothing_and_presses_nothing(keyboard: Keyboard) -> None:
    keyboard.type(f"{START}first\x07")
    keyboard.wait(OVERDUE_SECONDS)
    assert keyboard.pastes == ["first\x07"]
    keyboard.type(f" second\r{ESC}[A and{END}")
    keyboard.wait(SETTLE_SECONDS)
    assert keyboard.pastes == ["first\x07", f" second\r{ESC}[A and"]
    assert keyboard.keys == []
    keyboard.type("\r")
    assert keyboard.keys == ["enter"]


def test_a_late_end_alone_is_no_second_paste(keyboard: Keyboard) -> None:
    keyboard.type(f"{START}words")
    keyboard.wait(OVERDUE_SECONDS)
    keyboard.type(END)
    keyboard.wait(SETTLE_SECONDS)
    assert keyboard.pastes == ["words"]
    keyboard.type("x")
    assert keyboard.keys == ["x"]


@pytest.mark.parametrize(
    ("typed", "key"),
    [("x", "x"), ("\x11", "ctrl+q"), (ESC, "escape"), ("\x1b[A", "up"), ("\x1b[97;5u", "ctrl+a")],
)
def test_an_end_that_never_comes_does_not_swallow_the_keys(
    keyboard: Keyboard, typed: str, key: str
) -> None:
    keyboard.type(f"{START}words\x1b[20")
    keyboard.wait(OVERDUE_SECONDS)
    assert keyboard.pastes == ["words"]
    keyboard.type("\x1b[<35;3;4M")
    keyboard.type(typed)
    keyboard.wait(ESCAPE_DELAY)
    assert keyboard.keys == [key]
    keyboard.type("y")
    assert keyboard.keys == [key, "y"]


def test_an_empty_paste_is_one(keyboard: Keyboard) -> None:
    keyboard.type(START + END)
    keyboard.wait(SETTLE_SECONDS)
    assert keyboard.pastes == [""]


@pytest.mark.parametrize("typed", [["\x1b\x1b[A"], ["\x1b", "\x1b[A"], ["\x1b\x1b", "[", "A"]])
def test_alt_and_an_arrow_is_one_key(keyboard: Keyboard, typed: list[str]) -> None:
    keyboard.type(*typed)
    keyboard.wait(ESCAPE_DELAY)
    assert keyboard.keys == ["alt+up"]


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("\x1b\x1b[B", "alt+down"),
        ("\x1b\x1bOC", "alt+right"),
        ("\x1b\x1b[1;5D", "alt+ctrl+left"),
        ("\x1b\x1b[H", "alt+home"),
        ("\x1b\x1b[5~", "alt+pageup"),
        ("\x1b[1;3A", "alt+up"),
        ("\x1bb", "ctrl+left"),
    ],
)
def test_keys_with_alt(keyboard: Keyboard, typed: str, key: str) -> None:
    keyboard.type(typed)
    keyboard.wait(ESCAPE_DELAY)
    assert keyboard.keys == [key]


def test_esc_waits_no_longer_than_its_delay(keyboard: Keyboard) -> None:
    keyboard.type(ESC)
    assert keyboard.input.patience(1.0) == pytest.approx(ESCAPE_DELAY)
    keyboard.wait(ESCAPE_DELAY)
    assert keyboard.keys == ["escape"]
    keyboard.type(ESC + ESC)
    keyboard.wait(ESCAPE_DELAY)
    assert keyboard.keys == ["escape"] * 3


def test_esc_and_later_an_arrow_are_two_keys(keyboard: Keyboard) -> None:
    keyboard.type(ESC, pause=ESCAPE_DELAY)
    keyboard.type("\x1b[A")
    assert keyboard.keys == ["escape", "up"]


def test_a_long_paste_is_read_in_linear_time(keyboard: Keyboard) -> None:
    text = "words and \x1b[2K more\n" * 50_000
    whole = f"{START}{text}{END}"
    keyboard.type(*(whole[place : place + 4095] for place in range(0, len(whole), 4095)))
    keyboard.wait(SETTLE_SECONDS)
    assert keyboard.pastes == [text]
