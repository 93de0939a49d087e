"""A line that is typed unseen, for passwords. Cancelled, it gives the terminal back as it was."""

from __future__ import annotations

import getpass
import os
import sys
from contextlib import suppress
from typing import Final

from gemma_tui.plain.daemon_thread import in_daemon_thread

TERMINAL: Final = "/dev/tty"


def can_ask() -> bool:
    """Whether somebody sits at a terminal of this program."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


async def hidden_line(prompt: str) -> str | None:
    """What is typed behind `prompt`, on the terminal itself; None at its end, or for nothing."""
    import termios  # noqa: PLC0415  # nothing else needs it

    descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        modes = termios.tcgetattr(descriptor)
        try:
            return await in_daemon_thread(lambda: _read(prompt)) or None
        finally:
            with suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSADRAIN, modes)
    finally:
        os.close(descriptor)


def _read(prompt: str) -> str | None:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        return None
