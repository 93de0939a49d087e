"""What is asked of a terminal, with another end that answers like one."""

from __future__ import annotations

import os
import pty
import termios
import threading
from typing import TYPE_CHECKING

import pytest

from gemma_tui.doctor.finding import State
from gemma_tui.doctor.terminal import Abilities, ask, size_of, terminal, understand

if TYPE_CHECKING:
    from collections.abc import Iterator

XTERM = {"TERM": "xterm-256color"}


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """The terminal's end, and the program's."""
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def answer_with(terminal: int, answer: str, asked: list[str]) -> threading.Thread:
    """Answer when the last query has come."""

    def run() -> None:
        text = ""
        while not text.endswith("\x1b[c"):
            text += os.read(terminal, 1024).decode()
        asked.append(text)
        os.write(terminal, answer.encode())

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_modern_terminal_says_all_of_it(ends: tuple[int, int]) -> None:
    asked: list[str] = []
    answer = "\x1b[?0u\x1b[?2004;2$y\x1b[?2026;2$y\x1b[?62;4;22c"
    thread = answer_with(ends[0], answer, asked)
    before = termios.tcgetattr(ends[1])
    found = ask(ends[1], XTERM, seconds=60)
    thread.join(60)
    assert found == Abilities(True, keyboard=True, paste=True, synchronised=True, sixel=True)
    assert termios.tcgetattr(ends[1]) == before, "the terminal is as it was"
    assert asked == ["\x1b[?u\x1b[?2004$p\x1b[?2026$p\x1b[c"]


def test_an_old_one_answers_the_last_query_only(ends: tuple[int, int]) -> None:
    thread = answer_with(ends[0], "\x1b[?1;2c", [])
    found = ask(ends[1], XTERM, seconds=60)
    thread.join(60)
    assert found == Abilities(True, keyboard=False, sixel=False)
    assert not [found for found in terminal(XTERM, (80, 24), found) if found.state is State.PROBLEM]


def test_one_that_prints_queries_is_asked_without_dollars(ends: tuple[int, int]) -> None:
    asked: list[str] = []
    thread = answer_with(ends[0], "\x1b[?1;2c", asked)
    found = ask(ends[1], {**XTERM, "TERM_PROGRAM": "Apple_Terminal"}, seconds=60)
    thread.join(60)
    assert "$" not in asked[0]
    assert found.paste is found.synchronised is None


def test_one_that_says_nothing_is_not_waited_for(ends: tuple[int, int]) -> None:
    before = termios.tcgetattr(ends[1])
    assert ask(ends[1], XTERM, seconds=0) == Abilities(answers=False)
    assert termios.tcgetattr(ends[1]) == before


def test_a_mode_that_is_unknown_is_none_it_has() -> None:
    found = understand("\x1b[?2004;0$y\x1b[?2026;4$y\x1b[?62c", has_modes=True)
    assert (found.paste, found.synchronised, found.sixel) == (False, True, False)


@pytest.mark.parametrize(
    ("environ", "size", "abilities", "topic", "state", "words"),
    [
        (XTERM, None, None, "terminal", State.NOTE, "no terminal"),
        ({"TERM": "dumb"}, (80, 24), None, "terminal", State.NOTE, "cannot move"),
        ({}, (80, 24), None, "terminal", State.NOTE, "cannot move"),
        (XTERM, (59, 40), None, "terminal", State.NOTE, "59 x 40"),
        (XTERM, (80, 24), None, "terminal", State.OK, "80 x 24"),
        (XTERM, (80, 24), None, "colours", State.NOTE, "256"),
        ({"TERM": "linux"}, (80, 24), None, "colours", State.NOTE, "16"),
        ({**XTERM, "COLORTERM": "truecolor"}, (80, 24), None, "colours", State.OK, "16 million"),
        ({**XTERM, "NO_COLOR": "1"}, (80, 24), None, "colours", State.NOTE, "NO_COLOR"),
        (XTERM, (80, 24), Abilities(answers=False), "keys", State.NOTE, "does not answer"),
        (XTERM, (80, 24), Abilities(True, keyboard=True), "keys", State.OK, "kitty"),
        (XTERM, (80, 24), Abilities(True, keyboard=False), "keys", State.NOTE, "usual"),
        (XTERM, (80, 24), Abilities(True, paste=False), "paste", State.PROBLEM, "not marked"),
        (XTERM, (80, 24), Abilities(True, paste=True), "paste", State.OK, "marked"),
        (XTERM, (80, 24), Abilities(True, synchronised=False), "drawing", State.NOTE, "half drawn"),
        (XTERM, (80, 24), Abilities(True, sixel=True), "pictures", State.OK, "sixel"),
    ],
)
def test_what_it_means(
    environ: dict[str, str],
    size: tuple[int, int] | None,
    abilities: Abilities | None,
    topic: str,
    state: State,
    words: str,
) -> None:
    findings = {found.topic: found for found in terminal(environ, size, abilities)}
    assert findings[topic].state is state
    assert words in findings[topic].sentence
    assert findings[topic].advice or state is State.OK or topic in {"keys", "drawing", "terminal"}


def test_a_hostile_name_is_shown_as_text() -> None:
    first = next(terminal({**XTERM, "TERM_PROGRAM": "\x1b[2Jx"}, (80, 24), None))
    assert "\x1b" not in first.sentence


def test_the_size_of_a_pipe_is_none(ends: tuple[int, int]) -> None:
    reading, writing = os.pipe()
    assert size_of(reading) is None
    assert size_of(ends[1]) == tuple(os.get_terminal_size(ends[1]))
    os.close(reading)
    os.close(writing)
