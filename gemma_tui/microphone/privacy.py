"""Opening the pane of macOS that says which app may use the microphone."""

from __future__ import annotations

import asyncio
import shutil
import sys
from contextlib import suppress
from typing import Final

PRIVACY_PANE: Final = "x-apple.systempreferences:com.apple.preference.security?Privacy_Microphone"


def can_open_privacy(platform: str = sys.platform) -> bool:
    """Whether there is such a pane here."""
    return platform == "darwin" and shutil.which("open") is not None


async def open_privacy(command: tuple[str, ...] = ("open", PRIVACY_PANE)) -> None:
    """Show the pane; nothing happens if the system refuses."""
    with suppress(OSError):
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await process.wait()
