"""Types into a program at given times, and notes when it wrote what, to be looked at afterwards.

Keys are typed on time whether or not the one before was seen, as people do, and nothing is drawn
meanwhile: an emulator that takes the processor while the program works would be measured, too.
"""

from __future__ import annotations

import os
import select
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bench.startup import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.tui.terminal import Terminal


@dataclass(slots=True)
class Recording:
    """What went in and came out, with the seconds of one monotonic clock."""

    typed: list[tuple[float, str]] = field(default_factory=list)
    written: list[tuple[float, bytes]] = field(default_factory=list)
    share: float = 0.0
    """Of a processor that the program used meanwhile, its children not counted."""

    def times(
        self,
        terminal: Terminal,
        conditions: Sequence[Callable[[], bool]],
        since: Sequence[float] | None = None,
    ) -> list[float]:
        """The seconds until the screen was as each condition says; infinite if it never was.

        Args:
            terminal: Draws what was written, from the first byte on.
            conditions: They come true one after the other.
            since: From when on each counts; without it, there is one for each key, from there on.
        """
        moments = [moment for moment, _ in self.typed] if since is None else since
        waiting = list(zip(moments, conditions, strict=True))
        taken, later = [], bytearray()
        for moment, data in self.written:
            terminal.draw(data)
            # A program whose terminal takes nothing would stand still.
            later += _available(terminal.child.child_fd)
            while waiting and waiting[0][0] <= moment and waiting[0][1]():
                taken.append(moment - waiting.pop(0)[0])
        terminal.draw(bytes(later))
        return taken + [float("inf")] * len(waiting)


def record(terminal: Terminal, keys: Sequence[tuple[float, str]], rest: float) -> Recording:
    """Type each of `keys` so many seconds after the one before; then watch for `rest` seconds."""
    recording = Recording()
    descriptor = terminal.child.child_fd
    due = begun = time.monotonic()
    computed = cpu_seconds(terminal.child.pid)
    for wait, key in (*keys, (rest, "")):
        due += wait
        while (left := due - time.monotonic()) > 0:
            if select.select([descriptor], [], [], left)[0]:
                recording.written.append((time.monotonic(), os.read(descriptor, 1 << 16)))
        if key:
            recording.typed.append((time.monotonic(), key))
            os.write(descriptor, key.encode())
    passed = time.monotonic() - begun
    recording.share = (cpu_seconds(terminal.child.pid) - computed) / passed
    return recording


def _available(descriptor: int) -> bytes:
    """What can be read at once."""
    return os.read(descriptor, 1 << 16) if select.select([descriptor], [], [], 0)[0] else b""
