"""The system's clipboard, where a program can reach it without the terminal's help."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


MAX_TERMINAL_BYTES: Final = 750_000
"""What a terminal is handed at most (OSC 52): a megabyte of base64, more than most of them take."""


def fits_terminal(text: str) -> bool:
    """Whether the terminal can be asked to copy a text."""
    return len(text) <= MAX_TERMINAL_BYTES >= len(text.encode("utf-8", "replace"))


def clipboard_command(
    platform: str = sys.platform, environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """The command that takes text for the clipboard; empty where the terminal has to do it.

    Over SSH the clipboard of this machine is not the one the user pastes from.
    """
    if platform != "darwin" or "SSH_CONNECTION" in environ:
        return ()
    found = shutil.which("pbcopy", path=environ.get("PATH"))
    return (found,) if found else ()


async def to_clipboard(text: str, command: Sequence[str]) -> bool:
    """Hand `text` to `command` on its standard input; False if it did not take it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await process.communicate(text.encode("utf-8", "replace"))
    return process.returncode == 0
