"""The real program in a pty, with the real engine process and the built-in model."""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

CTRL_Q, ESCAPE = "\x11", "\x1b"

ALLOWED = re.compile(
    r"\x1b\[[\d;]*m"  # colours
    r"|\x1b\[[\d;]*[HJK]"  # cursor position, clear
    r"|\x1b\[\?(?:25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]"  # modes of the screen, mouse, paste, size
    r"|\x1b\[\?2026\$p|\x1b\[\?2048\$p"  # asks whether these two modes exist
    r"|\x1b\[[<>]\d*u"  # keyboard protocol on and off
    r"|\x1b\[\?7[hl]|\x1b\]22;[a-z-]*\x07"  # line wrap, shape of the mouse pointer
    r"|\x1b\[6n|\x1b\[c|\x1b\[\d*;?\d*t"
)
"""Every escape sequence the app may write."""


def unexpected(written: bytes) -> set[str]:
    """Control characters and sequences in `written` that are not allowed."""
    rest = ALLOWED.sub("", written.decode("utf-8", "replace"))
    found = set(re.findall(r"\x1b[^\x1b]{0,12}", rest))
    return found | {
        c for c in rest if (ord(c) < 0x20 and c not in "\r\n\x1b") or 0x7F <= ord(c) < 0xA0
    }


def is_restored(terminal: Terminal) -> bool:
    """Whether the main screen, the cursor, the mouse and paste modes are as they were."""
    last = {}
    for mode, state in re.findall(rb"\x1b\[\?(\d+)([hl])", bytes(terminal.written)):
        last[int(mode)] = state
    return bool(
        last[1049] == b"l" and last[25] == b"h" and last[1000] == b"l" and last[2004] == b"l"
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_conversation_survives_the_program(home: Path, tiny_model: Path) -> None:
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("Ask Gemma")
        terminal.type("hello\r")
        terminal.shows("tokens/s")
        terminal.shows("● ready")
        terminal.paste("\x07bell \x9b31m \u202e words")
        terminal.shows("words")
        terminal.type(CTRL_Q)
        assert terminal.wait() == 0
        assert is_restored(terminal)
        assert unexpected(bytes(terminal.written)) == set()
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("words")
        terminal.shows("hello")
        terminal.shows("tokens/s")
        terminal.type(CTRL_Q)
        assert terminal.wait() == 0


def test_the_first_message_waits_for_the_model_and_esc_cancels_it(
    home: Path, tiny_model: Path
) -> None:
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("Ask Gemma")
        terminal.type("typed at once\r")
        # In the transcript and in the status line; unless this machine loads faster than it types.
        terminal.until(lambda: terminal.text.count("loading") == 2 or "tokens/s" in terminal.text)
        terminal.type(ESCAPE)
        terminal.until(lambda: "stopped" in terminal.text or "tokens/s" in terminal.text)
        terminal.type(CTRL_Q)
        assert terminal.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_restores_the_terminal_and_keeps_the_draft(
    home: Path, tiny_model: Path, number: int
) -> None:
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("Ask Gemma")
        terminal.type("unsent words")
        terminal.shows("unsent words")
        terminal.kill(number)
        assert terminal.wait() == 128 + number
        assert is_restored(terminal)
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("unsent words")


def test_closing_the_window_ends_it_and_keeps_the_draft(home: Path, tiny_model: Path) -> None:
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("Ask Gemma")
        terminal.type("unsent words")
        terminal.shows("unsent words")
        assert terminal.hang_up() == 128 + signal.SIGHUP
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("unsent words")


def test_kill_9_costs_no_draft(home: Path, tiny_model: Path) -> None:
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("Ask Gemma")
        terminal.shows("F1 help")
        terminal.type("typed before the crash")
        terminal.shows("typed before the crash")
        database = home / "data" / "conversations.db-wal"
        terminal.until(lambda: b"typed before the crash" in database.read_bytes(), "a saved draft")
        terminal.kill()
        terminal.wait()
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("typed before the crash")


def is_bold(terminal: Terminal, text: str) -> bool:
    """Whether a text on the screen is drawn in bold."""
    row, line = next((y, line) for y, line in enumerate(terminal.screen.display) if text in line)
    return bool(terminal.screen.buffer[row][line.index(text)].bold)


def test_commands_completion_and_a_long_paste(home: Path, tiny_model: Path) -> None:
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("Ask Gemma")
        terminal.type("/bud")
        terminal.shows("Token budget of the picture")
        terminal.type("\t")
        terminal.shows("1120")
        terminal.type(ESCAPE)
        terminal.until(lambda: "1120" not in terminal.text)
        assert "/budget" in terminal.text
        terminal.type("\x15/think on\r")
        terminal.shows("thinking on")
        terminal.paste("\n".join(f"row {index} \x9b31m\x07" for index in range(50)))
        terminal.shows("pasted text, 50 lines")
        assert "row 7" not in terminal.text
        terminal.shows("% of context")
        terminal.type(CTRL_Q)
        assert terminal.wait() == 0
        assert unexpected(bytes(terminal.written)) == set()
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("pasted text, 50 lines")
        terminal.type("\x1b[Z")  # Shift+Tab
        terminal.until(lambda: is_bold(terminal, "pasted text"), "the chip is chosen")
        terminal.type("\r")
        terminal.shows("row 49 \ufffd31m␇")


def test_no_color_writes_no_colour(home: Path, tiny_model: Path) -> None:
    command = [sys.executable, "-m", "gemma_tui", "--model", str(tiny_model)]
    with closing(Terminal(command, home=home, environ={"NO_COLOR": "1"})) as terminal:
        terminal.shows("Ask Gemma")
        terminal.type("hello\r")
        terminal.shows("tokens/s")
        terminal.type(CTRL_Q)
        assert terminal.wait() == 0
    written = terminal.written.decode("utf-8", "replace")
    codes = {code for found in re.findall(r"\x1b\[([\d;]*)m", written) for code in found.split(";")}
    colours = {str(code) for code in (*range(30, 39), *range(40, 49), *range(90, 108))}
    assert not codes & colours


def test_the_first_start_shows_the_tour_and_the_second_does_not(
    home: Path, tiny_model: Path
) -> None:
    command = [sys.executable, "-m", "gemma_tui", "--model", str(tiny_model)]
    for is_first in (True, False):
        with closing(Terminal(command, home=home, environ={"GEMMA_TUI_TOUR": ""})) as terminal:
            terminal.shows("● ready")
            assert ("1 of 3" in terminal.text) is is_first
            terminal.type(ESCAPE)
            terminal.until(lambda: "1 of 3" not in terminal.text)
            terminal.type(CTRL_Q)
            assert terminal.wait() == 0


def test_alt_keys_a_burst_and_a_stop_as_a_terminal_writes_them(
    home: Path, tiny_model: Path
) -> None:
    with closing(Terminal.app(home, tiny_model)) as terminal:
        terminal.shows("● ready")
        terminal.type("hello\r")
        terminal.shows("tokens/s")
        terminal.type("words of the first")
        terminal.shows("words of the first")
        terminal.type("\x1bn")  # Alt+N
        terminal.until(lambda: "words of the first" not in terminal.text, "a tab of its own")
        terminal.type("\x1b1")  # Alt+1
        terminal.shows("words of the first")
        terminal.type("\x1b2")
        terminal.until(lambda: "words of the first" not in terminal.text, "the second tab")
        terminal.type("\x1bw")  # Alt+W
        terminal.shows("words of the first")
        terminal.type("\t")  # to the list, where o, p, r, t and a are keys
        terminal.shows("Enter open")
        terminal.type(" a tape, a trap or a port.")
        terminal.shows("words of the first a tape, a trap or a port.")
        terminal.kill(signal.SIGTSTP)
        terminal.until(lambda: b"\x1b[?1049l" in terminal.written, "the screen of the shell")
        os.waitpid(terminal.child.pid, os.WUNTRACED)  # else it would stop after SIGCONT
        terminal.screen.reset()
        terminal.kill(signal.SIGCONT)
        terminal.shows("words of the first a tape, a trap or a port.")
        terminal.shows("F1 help")
        terminal.type(" On.")
        terminal.shows("port. On.")
        terminal.type(CTRL_Q)
        assert terminal.wait() == 0
        assert is_restored(terminal)
