"""The terminal driver: Textual's own, but a lone Esc is a key after `ESCDELAY` and no later.

Textual's input thread looks for input every 100 ms, and only then notices that an Esc byte was
all there is (textual 8.2.8); Esc has to stop a reply sooner than that.
"""

from __future__ import annotations

import os
import select
from codecs import getincrementaldecoder
from typing import Final

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver

IDLE_SECONDS: Final = 0.1
"""How long the thread may take to notice that the app has ended."""

CLOCK_SECONDS: Final = 0.002
"""The parser's clock starts a little later than the wait that must outlast it."""

READ_BYTES: Final = 1 << 16


class TerminalDriver(LinuxDriver):
    """Reads keys from a terminal on Linux and macOS."""

    def run_input_thread(self) -> None:
        """Turn bytes into events until the app ends; the body of the input thread."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        patience = IDLE_SECONDS
        while not self.exit_event.is_set():
            is_readable = bool(select.select([self.fileno], [], [], patience)[0])
            data = os.read(self.fileno, READ_BYTES) if is_readable else b""
            if text := decode(data):
                for event in parser.feed(text):
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)
            # Only what was read just now can have left a key half finished.
            patience = ESCAPE_DELAY + CLOCK_SECONDS if data else IDLE_SECONDS
