"""Reads the system's clipboard with the system's own tools: osascript, wl-paste, xclip.

A terminal pastes text only; pictures and files have to be asked for. Tools are run with arguments,
never through a shell, with a limit of time and of size each.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import ClipboardError
from gemma_tui.tui.clipboard_content import (
    ClipboardContent,
    CopiedFiles,
    CopiedPicture,
    CopiedText,
    NothingCopied,
    OtherCopied,
)
from gemma_tui.tui.clipboard_formats import (
    PICTURES,
    TEXTS,
    URI_LISTS,
    file_paths,
    parse_mac_answer,
    plain_kinds,
)
from gemma_tui.tui.mac_clipboard import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_SECONDS: Final = 5.0
"""The program that copied something is asked for it, and may be busy or gone."""

MAX_BYTES: Final = 128 << 20
"""A screenshot of a 6K display takes 20 to 60 MB as PNG at worst."""

_PIECE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class SystemClipboard:
    """The clipboard of the desktop that this process belongs to.

    Args:
        platform: As `sys.platform`.
        environ: Says which desktop that is, and where its tools are.
        timeout_seconds: For one run of a tool.
        max_bytes: Of what a tool may write.
    """

    platform: str = sys.platform
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    timeout_seconds: float = TIMEOUT_SECONDS
    max_bytes: int = MAX_BYTES

    async def read(self) -> ClipboardContent:
        """What is copied: files, else a picture, else text; text also where both are offered.

        An office program offers a picture of the cells or words it copied beside them.

        Raises:
            ClipboardError: There is no tool, no desktop, or the clipboard is another machine's.
        """
        tool = self._tool()
        if tool.name == "osascript":
            arguments = (tool.path, "-l", "JavaScript", "-e", SCRIPT)
            return parse_mac_answer(await self._run(arguments))
        kinds = plain_kinds(await self._run(tool.list_command))
        return await self._first(tool, kinds) or (OtherCopied(kinds) if kinds else NothingCopied())

    async def _first(self, tool: _Tool, kinds: tuple[str, ...]) -> ClipboardContent | None:
        """The best of the kinds that are offered."""
        if kind := next((kind for kind in URI_LISTS if kind in kinds), None):
            paths = file_paths(await self._run(tool.read_command(kind)))
            if paths:
                return CopiedFiles(paths)
        text = next((kind for kind in TEXTS if kind in kinds), None)
        picture = next((kind for kind in PICTURES if kind in kinds), None)
        if picture and not text:
            content = await self._run(tool.read_command(picture))
            return CopiedPicture(content, PICTURES[picture]) if content else None
        if text:
            words = (await self._run(tool.read_command(text))).decode(errors="replace")
            return CopiedText(words) if words else NothingCopied()
        return None

    def _tool(self) -> _Tool:
        """What reads the clipboard here."""
        environ = self.environ
        is_remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
        if self.platform == "darwin":
            if is_remote:
                raise _elsewhere()
            return self._found("osascript", "It is part of macOS: look at your PATH.")
        if environ.get("WAYLAND_DISPLAY"):
            return self._found("wl-paste", "Install it: the package is called wl-clipboard.")
        if environ.get("DISPLAY"):  # over SSH as well: a forwarded display brings its clipboard
            return self._found("xclip", "Install it: the package is called xclip.")
        if is_remote:
            raise _elsewhere()
        raise ClipboardError(
            "There is no desktop here that could have a clipboard.",
            "Attach a file by its path with Ctrl+O.",
        )

    def _found(self, name: str, hint: str) -> _Tool:
        path = shutil.which(name, path=self.environ.get("PATH"))
        if path is None:
            message = f"The clipboard cannot be read: there is no {name} on this computer."
            raise ClipboardError(message, f"{hint} Or attach a file by its path with Ctrl+O.")
        return _Tool(name, path)

    async def _run(self, command: Sequence[str]) -> bytes:
        """What a tool writes; nothing if it fails, as it does where nothing is copied."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=dict(self.environ),
            )
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"The clipboard cannot be read: {command[0]} does not run ({reason})."
            raise ClipboardError(message, "Attach a file by its path with Ctrl+O.") from error
        try:
            async with asyncio.timeout(self.timeout_seconds):
                written = await _read(process, self.max_bytes)
                code = await process.wait()
        except TimeoutError:
            raise ClipboardError(
                "The program that holds the clipboard did not answer"
                f" within {self.timeout_seconds:g} seconds.",
                "Copy it again, or save it as a file and attach that.",
            ) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return written if code == 0 else b""


async def _read(process: asyncio.subprocess.Process, most: int) -> bytes:
    """All that a process writes, up to a limit."""
    stream = process.stdout
    pieces, size = [], 0
    while stream is not None and (piece := await stream.read(_PIECE)):
        size += len(piece)
        if size > most:
            raise ClipboardError(
                f"The clipboard holds more than {most >> 20} MB.",
                "Save it as a file and attach that.",
            )
        pieces.append(piece)
    return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class _Tool:
    """A program that reads a clipboard, and how it is asked."""

    name: str
    path: str

    @property
    def list_command(self) -> tuple[str, ...]:
        """Writes the kinds of data that are offered, a line for each."""
        if self.name == "wl-paste":
            return (self.path, "--list-types")
        return (self.path, "-selection", "clipboard", "-o", "-t", "TARGETS")

    def read_command(self, kind: str) -> tuple[str, ...]:
        """Writes what is copied, as this kind."""
        if self.name == "wl-paste":
            return (self.path, "--no-newline", "--type", kind)
        return (self.path, "-selection", "clipboard", "-o", "-t", kind)


def _elsewhere() -> ClipboardError:
    return ClipboardError(
        "You are connected over SSH: the clipboard is that of the computer your terminal runs on.",
        "Text comes with the terminal's own paste; copy a picture here as a file, and attach that.",
    )
