"""Showing a file with the system's own viewer: `open` on a Mac, `xdg-open` on Linux.

What is opened is a copy, in a private folder that is removed when the program ends, under a name
whose end follows from what the file is: a program is chosen by it, and none of them runs a file.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import AttachmentError
from gemma_tui.exchange.output import safe_name
from gemma_tui.storage.faults import storage_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUFFIXES: Final[dict[str, str]] = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/jp2": ".jp2",
    "application/pdf": ".pdf",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/aac": ".aac",
    "audio/aiff": ".aiff",
    "audio/x-caf": ".caf",
    "audio/mp4": ".m4a",
    "audio/webm": ".webm",
    "audio/x-matroska": ".mka",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
    "text/plain": ".txt",
}
"""What may be opened, and how its name ends then, whatever the file was called."""

_PATIENCE_SECONDS: Final = 5.0
"""A command that has not ended by then is the viewer itself."""


def viewer_command(
    platform: str = sys.platform, environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """The command that shows a file; empty where there is none, or no screen to show it on.

    Over SSH to a Mac the screen is not the one the user sits at; on Linux `DISPLAY` says which.
    """
    if platform == "darwin":
        found = None if "SSH_CONNECTION" in environ else shutil.which("open", path="/usr/bin")
    elif environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        found = shutil.which("xdg-open", path=environ.get("PATH"))
    else:
        found = None
    return (found,) if found else ()


class SystemViewer:
    """Shows copies of files.

    Args:
        command: As of `viewer_command`.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._folder = ""

    @property
    def name(self) -> str:
        """The command as people call it; empty if there is none."""
        return Path(self._command[0]).name if self._command else ""

    def check(self, name: str, media_type: str) -> None:
        """See whether such a file can be opened.

        Args:
            name: What the sentence calls it.
            media_type: What it is, as found in its bytes.

        Raises:
            AttachmentError: There is no viewer, or this is no kind of file for it.
        """
        if not self._command:
            raise AttachmentError(
                f"“{name}” cannot be opened outside: there is no open or xdg-open, or no screen.",
                "Save a copy, and open that.",
            )
        if media_type not in SUFFIXES:
            raise AttachmentError(
                f"“{name}” is of a kind that is not opened outside.", "Save a copy instead."
            )

    async def show(self, source: Path, name: str, media_type: str) -> None:
        """Open a copy of a file.

        Args:
            source: Its bytes.
            name: As the user knows it.
            media_type: What it is, as found in its bytes.

        Raises:
            AttachmentError: As `check`, or the viewer refused it.
            StorageError: The copy cannot be written.
        """
        self.check(name, media_type)
        code = await asyncio.to_thread(self._show, source, name, SUFFIXES[media_type])
        if code:
            raise AttachmentError(
                f"“{name}” was not opened: {self.name} ended with {code}; maybe no program is set"
                " for such files.",
                "Save a copy, and open that.",
            )

    def _show(self, source: Path, name: str, suffix: str) -> int:
        if not self._folder:
            self._folder = tempfile.mkdtemp(prefix="gemma-tui-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        stem = Path(safe_name(name, "attachment")).stem
        copy = folder / f"{stem}{suffix}"
        with storage_faults(copy):
            shutil.copyfile(source, copy)
            copy.chmod(0o400)  # what would be changed there would be lost
        try:
            process = subprocess.Popen(  # noqa: S603  # no shell; the name cannot be an option
                [*self._command, str(copy)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise AttachmentError(
                f"“{name}” was not opened: {self.name} cannot be run ({error.strerror}).",
                "Save a copy, and open that.",
            ) from error
        with suppress(subprocess.TimeoutExpired):
            return process.wait(_PATIENCE_SECONDS)
        return 0
