"""A line that is typed unseen, for passwords. Cancelled, it gives the terminal back as it was."""

from __future__ import annotations

import getpass
import os
import sys
from contextlib import suppress
from typing import Final

from gemma_tui.errors import LockedDocumentError
from gemma_tui.plain.daemon_thread import in_daemon_thread
from gemma_tui.plain.document_password import PASSWORD_VARIABLE

TERMINAL: Final = "/dev/tty"


def can_ask() -> bool:
    """Whether somebody sits at a terminal of this program."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


async def hidden_line(prompt: str) -> str | None:
    """What is typed behind `prompt`, on the terminal itself; None at its end, or for nothing.

    Raises:
        LockedDocumentError: There is no terminal to ask on.
        GemmaError: What was typed cannot be read.
    """
    import termios  # noqa: PLC0415  # nothing else needs it

    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise _unasked(error.strerror) from error
    try:
        try:
            modes = termios.tcgetattr(descriptor)
        except termios.error as error:
            raise _unasked(str(error.args[-1])) from error
        try:
            return await in_daemon_thread(lambda: _read(prompt)) or None
        finally:
            with suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSADRAIN, modes)
    finally:
        os.close(descriptor)


def _unasked(reason: str | None) -> LockedDocumentError:
    return LockedDocumentError(
        f"Its password cannot be asked for: there is no terminal ({reason}).",
        f"Set {PASSWORD_VARIABLE} to it.",
    )


def _read(prompt: str) -> str | None:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        return None
