"""The terminal driver: Textual's own, but a lone Esc is a key after `ESCDELAY` and no later.

Textual's input thread looks for input every 100 ms, and only then notices that an Esc byte was
all there is (textual 8.2.8); Esc has to stop a reply sooner than that. What bytes mean,
`TerminalInput` says.
"""

from __future__ import annotations

import os
import select
import signal
from codecs import getincrementaldecoder
from contextlib import suppress
from functools import cached_property
from typing import IO, Any, Final, cast

from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver

from gemma_tui.tui.graphics.images import TerminalImages
from gemma_tui.tui.key_parser import KeyParser
from gemma_tui.tui.terminal_input import TerminalInput
from gemma_tui.tui.window_title import WindowTitle

IDLE_SECONDS: Final = 0.1
"""How long the thread may take to notice that the app has ended."""

CLOCK_SECONDS: Final = 0.002
"""The parser's clock starts a little later than the wait that must outlast it."""

READ_BYTES: Final = 1 << 16


class _Window:
    """Where the app draws; what is drawn on a window that was closed goes nowhere.

    Textual's output thread would end with the error, and leaving wait for ever for room in its
    queue.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


class TerminalDriver(LinuxDriver):
    """Reads keys from a terminal on Linux and macOS, and draws on it."""

    @cached_property
    def window_title(self) -> WindowTitle:
        """The title of the window, which leaving gives back."""
        return WindowTitle(self.write)

    @cached_property
    def images(self) -> TerminalImages:
        """The pictures that the terminal has."""
        return TerminalImages(self.write, (os.getpid() & 0xFFFF) << 8 | 1)

    def start_application_mode(self) -> None:
        """Begin, or go on after the app was put to sleep."""
        if not isinstance(self._file, _Window):
            self._file = cast("Any", _Window(cast("IO[str]", self._file)))
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's
        self.images.resend()

    def stop_application_mode(self) -> None:
        """Leave the terminal as it was, for good or for a while."""
        self.window_title.restore()
        self.images.restore()
        super().stop_application_mode()

    def _sigcont_application(self, *_: object) -> None:
        """Go on; after a SIGSTOP, which nobody is told of, the input thread is still there."""
        if self._must_signal_resume:
            super()._sigcont_application()
        else:
            self.send_message(self.SignalResume())

    def run_input_thread(self) -> None:
        """Turn bytes into events until the app ends; the body of the input thread."""
        terminal_input = TerminalInput(KeyParser(self._debug))
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        patience = IDLE_SECONDS
        while not self.exit_event.is_set():
            is_readable = bool(select.select([self.fileno], [], [], patience)[0])
            data = self._read() if is_readable else b""
            if is_readable and not data:  # the window was closed: it stays readable for ever
                os.kill(os.getpid(), signal.SIGHUP)
                return
            if text := decode(data):
                for event in terminal_input.feed(text):
                    self.process_message(event)
            for event in terminal_input.tick():
                self.process_message(event)
            # Only what was read just now can have left a key of the parser's half finished.
            longest = ESCAPE_DELAY if data else IDLE_SECONDS
            patience = terminal_input.patience(longest) + CLOCK_SECONDS

    def _read(self) -> bytes:
        """What was typed; nothing if there is no terminal any more."""
        try:
            return os.read(self.fileno, READ_BYTES)
        except OSError:
            return b""
