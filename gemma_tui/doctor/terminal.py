"""What the terminal can do: by what the environment says, and by asking it.

It is asked with standard queries (xterm's ctlseqs; the keyboard protocol of kitty), the last of
which every terminal answers, so that nothing has to be waited for longer than that.
"""

from __future__ import annotations

import os
import re
import select
import termios
import time
import tty
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gemma_tui.doctor.finding import Finding, State
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MIN_SIZE: Final = (60, 18)
"""Columns and rows that the app is laid out for."""

ANSWER_SECONDS: Final = 1.0
"""How long a terminal may take; over a slow line an answer needs 0.3 s."""

_KEYBOARD: Final = "\x1b[?u"
_PASTE: Final = "\x1b[?2004$p"
_SYNCHRONISED: Final = "\x1b[?2026$p"
_ATTRIBUTES: Final = "\x1b[c"

_KEYBOARD_ANSWER: Final = re.compile("\x1b\\[\\?[0-9]+u")
_MODE_ANSWER: Final = "\x1b\\[\\?{};([0-9])\\$y"
_ATTRIBUTES_ANSWER: Final = re.compile("\x1b\\[\\?([0-9;]*)c")

_KNOWN_MODES: Final = frozenset("1234")
"""Set, reset, always set, always reset; 0 is unknown."""

_SIXEL: Final = "4"

_PRINTS_QUERIES: Final = "Apple_Terminal"
"""Shows the end of a query with a dollar sign as text, so it is not asked."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a terminal answered; None: it was not asked, or said nothing."""

    answers: bool
    keyboard: bool | None = None
    """The keyboard protocol: Ctrl+Enter is told from Enter, for example."""
    paste: bool | None = None
    """Marks the begin and end of a paste."""
    synchronised: bool | None = None
    """Shows a frame as a whole."""
    sixel: bool | None = None


def ask(descriptor: int, environ: Mapping[str, str], seconds: float = ANSWER_SECONDS) -> Abilities:
    """Ask the terminal behind a descriptor; what is typed meanwhile is lost.

    Args:
        descriptor: Of a terminal that can be read and written.
        environ: Says which terminal it is.
        seconds: How long it may take.
    """
    is_asked = environ.get("TERM_PROGRAM") != _PRINTS_QUERIES
    queries = (_KEYBOARD, *((_PASTE, _SYNCHRONISED) if is_asked else ()), _ATTRIBUTES)
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSAFLUSH)
        os.write(descriptor, "".join(queries).encode())
        text = _read(descriptor, seconds)
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
    return understand(text, has_modes=is_asked)


def _read(descriptor: int, seconds: float) -> str:
    """Everything up to the last answer, as far as it comes in time."""
    deadline, text = time.monotonic() + seconds, ""
    while not _ATTRIBUTES_ANSWER.search(text):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            break
        if not (piece := os.read(descriptor, 1024)):
            break
        text += piece.decode("ascii", "replace")
    return text


def understand(text: str, *, has_modes: bool) -> Abilities:
    """What answers mean.

    Args:
        text: As the terminal sent them.
        has_modes: Whether it was asked for modes.
    """
    attributes = _ATTRIBUTES_ANSWER.search(text)
    if attributes is None:
        return Abilities(answers=False)
    return Abilities(
        answers=True,
        keyboard=bool(_KEYBOARD_ANSWER.search(text)),
        paste=_knows_mode(text, 2004) if has_modes else None,
        synchronised=_knows_mode(text, 2026) if has_modes else None,
        sixel=_SIXEL in attributes[1].split(";")[1:],
    )


def _knows_mode(text: str, mode: int) -> bool | None:
    """None: it did not say, as tmux, which marks pastes all the same."""
    answer = re.search(_MODE_ANSWER.format(mode), text)
    return answer[1] in _KNOWN_MODES if answer else None


def terminal(
    environ: Mapping[str, str], size: tuple[int, int] | None, abilities: Abilities | None
) -> Iterator[Finding]:
    """What that means for the app.

    Args:
        environ: The environment.
        size: Columns and rows; None where there is no terminal.
        abilities: What the terminal answered; None if it was not asked.
    """
    name = sanitize_line(environ.get("TERM_PROGRAM") or environ.get("TERM") or "unknown")
    if size is None:
        yield Finding("terminal", State.NOTE, "This is no terminal, so it was not looked at.")
        return
    if environ.get("TERM", "dumb") in {"", "dumb"}:
        advice = "The app starts in plain mode; set TERM to what your terminal is for the screen."
        yield Finding("terminal", State.NOTE, f"{name} cannot move the cursor.", advice)
        return
    yield _size(name, size)
    yield _colours(environ)
    if abilities is not None:
        yield from _abilities(abilities)


def _size(name: str, size: tuple[int, int]) -> Finding:
    sentence = f"{name}, {size[0]} x {size[1]}"
    if size[0] >= MIN_SIZE[0] and size[1] >= MIN_SIZE[1]:
        return Finding("terminal", State.OK, sentence)
    advice = f"Make it {MIN_SIZE[0]} x {MIN_SIZE[1]} at least: below, parts are cut off."
    return Finding("terminal", State.NOTE, sentence, advice)


def _colours(environ: Mapping[str, str]) -> Finding:
    if environ.get("NO_COLOR"):
        advice = "Unset NO_COLOR if you want colours."
        return Finding("colours", State.NOTE, "none: NO_COLOR is set", advice)
    if environ.get("COLORTERM") in {"truecolor", "24bit"}:
        return Finding("colours", State.OK, "16 million")
    count = "256" if "256" in environ.get("TERM", "") else "16"
    advice = "If yours can show more, set COLORTERM=truecolor; else the theme “terminal” fits best."
    return Finding("colours", State.NOTE, count, advice)


def _abilities(found: Abilities) -> Iterator[Finding]:
    if not found.answers:
        sentence = "It does not answer queries, so what it can do is not known."
        yield Finding("keys", State.NOTE, sentence)
        return
    if found.keyboard:
        yield Finding("keys", State.OK, "all, by the keyboard protocol of kitty")
    else:
        advice = "Shift+Enter sends here; Ctrl+J and Alt+Enter begin a new line."
        yield Finding("keys", State.NOTE, "the usual ones: no keyboard protocol", advice)
    if found.paste is False:
        advice = "Pasting several lines may send the first one: attach a file instead."
        yield Finding("paste", State.PROBLEM, "Pastes are not marked.", advice)
    elif found.paste:
        yield Finding("paste", State.OK, "marked")
    if found.synchronised is not None:
        whole = "whole frames" if found.synchronised else "frames may be seen half drawn"
        yield Finding("drawing", State.OK if found.synchronised else State.NOTE, whole)
    graphics = "could show sixel graphics" if found.sixel else "has no sixel graphics"
    yield Finding("pictures", State.OK, f"in half blocks, as everywhere; the terminal {graphics}")


def size_of(descriptor: int) -> tuple[int, int] | None:
    """Columns and rows of the terminal behind a descriptor; None if it is none."""
    if not os.isatty(descriptor):
        return None
    size = os.get_terminal_size(descriptor)
    return size.columns, size.lines
