"""A terminal for tests: the real program in a pty, its output drawn on a screen that can be read."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

import pexpect
import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PATIENCE_SECONDS = 45.0
"""Longer than any machine needs; only what never appears runs into it."""


_GRAPHICS = re.compile(rb"\x1b_[^\x1b]*\x1b\\\\")
_UNFINISHED_GRAPHICS = re.compile(rb"\x1b_[^\x1b]*\x1b?\Z")
"""Pictures, which pyte would draw as text."""


class Terminal:
    """Runs a command as in a terminal window of its own.

    Args:
        command: Program and arguments.
        home: `GEMMA_TUI_HOME` of the run.
        size: Columns and rows.
        environ: Further environment variables.
        folder: Working folder, if not this one.
    """

    def __init__(
        self,
        command: list[str],
        *,
        home: Path,
        size: tuple[int, int] = (100, 30),
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = bytearray()
        """Every byte the program wrote."""
        self._held = b""
        self._text: str | None = None
        # A size in the environment (xdist's workers have one) would count more than the window's.
        foreign = ("TEXTUAL", "NO_COLOR", "COLUMNS", "LINES")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            dimensions=(rows, columns),
            timeout=None,
            cwd=folder,
            env={
                **inherited,
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "GEMMA_TUI_HOME": str(home),
                "GEMMA_TUI_TOUR": "false",
                **(environ or {}),
            },
        )
        self.child.delaybeforesend = None

    @classmethod
    def app(cls, home: Path, model: Path, size: tuple[int, int] = (100, 30)) -> Terminal:
        """The app with a model."""
        return cls([sys.executable, "-m", "gemma_tui", "--model", str(model)], home=home, size=size)

    @property
    def text(self) -> str:
        """What is on the screen."""
        if self._text is None:
            buffer, columns = self.screen.buffer, range(self.screen.columns)
            rows = (buffer[y] for y in range(self.screen.lines))
            # The second half of a wide character is an empty text.
            self._text = "\n".join("".join(row[x].data for x in columns) for row in rows)
        return self._text

    def type(self, text: str) -> None:
        """Press keys, or write what the terminal would for them."""
        self.child.send(text)

    def paste(self, text: str) -> None:
        """A bracketed paste: what a drop is."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def read(self, seconds: float = 0.05) -> bool:
        """Draw what the program writes within `seconds`; False once it has ended."""
        data = bytearray()
        has_ended = False
        while not has_ended and len(data) < 1 << 20 and self._is_ready(0 if data else seconds):
            try:
                more = os.read(self.child.child_fd, 65536)
            except OSError:
                more = b""
            has_ended = not more
            data += more
        if data:
            self.draw(bytes(data))
        return not has_ended

    def draw(self, data: bytes) -> None:
        """Take what the program wrote."""
        self.written += data
        self._text = None
        data = _GRAPHICS.sub(b"", self._held + data)
        unfinished = _UNFINISHED_GRAPHICS.search(data)
        self._held = unfinished[0] if unfinished else b""
        self._stream.feed(data.removesuffix(self._held))

    def _is_ready(self, seconds: float) -> bool:
        return bool(select.select([self.child.child_fd], [], [], seconds)[0])

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Draw until `condition` holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if not self.read() or time.monotonic() > deadline:
                if condition():
                    return
                raise AssertionError(f"never came true: {what}\n{self.text}")

    def shows(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        self.until(lambda: text in self.text, repr(text))

    def wait(self) -> int:
        """Wait for the end; the exit code, or minus the signal."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.read() and time.monotonic() < deadline:
            pass
        while self.child.isalive():  # a moment longer than its window
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not end\n{self.text}")
            time.sleep(0.01)
        status = self.child.exitstatus
        return status if status is not None else -(self.child.signalstatus or 0)

    def hang_up(self) -> int:
        """Close the window, and wait for the end as `wait` does."""
        self.child.ptyproc.fileobj.close()
        self.child.wait()
        return self.child.exitstatus or -(self.child.signalstatus or 0)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the program (not to its children)."""
        os.kill(self.child.pid, number)

    def close(self) -> None:
        """End it, whatever it does."""
        if self.child.isalive():
            self.kill()
            self.wait()
        self.child.close()
