"""What a long conversation costs a whole program in a pty: opening, scrolling, resizing, typing.

Processor time is that of the program alone; a machine that does other things changes only the rest.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.interface.recording import record
from tests.bench.interface.texts import LAST
from tests.bench.startup import cpu_seconds
from tests.bench.typing import CLEAR_LINE, PAUSE_SECONDS, SETTLE_SECONDS, p95

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.interface.subjects import Subject
    from tests.tui.terminal import Terminal

QUIET_SECONDS: Final = 0.7
"""A program that has written nothing for so long has nothing left to draw; a cursor may blink."""

BLINK_BYTES: Final = 3000
"""What a blinking cursor writes at most."""

MOST_SECONDS: Final = 120.0
STEPS: Final = 40
STEP_SECONDS: Final = 0.1
LETTERS: Final = "abcdefghij"
BLOCKS: Final = 6
BETWEEN_SECONDS: Final = 2.5
"""Between two lines: what is seen late must not be overwritten before."""

WHEEL_UP: Final = "\x1b[<64;70;10M"
RESIZE_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Figures:
    """What one program took; seconds, or processor seconds, or bytes."""

    opened: float
    """From the start of the process until the last words of the conversation are seen."""
    opened_cpu: float
    """Processor time until nothing more was drawn."""
    memory: int
    step: float
    """From a turn of the wheel to other rows on the screen; the median."""
    step_cpu: float
    resize_cpu: float
    """Of one resize."""
    settled: float
    """From the last resize until nothing more was drawn."""
    echo: float
    """From a key to its picture while an answer streams, 100 tokens a second; one in twenty takes
    longer."""
    echo_worst: float
    share: float
    """Of a processor that the program uses meanwhile."""


def measure(subject: Subject, resizes: int) -> Figures | None:
    """Open, scroll, resize; None if it is not open after two minutes."""
    begun = time.monotonic()
    terminal = subject.start()
    try:
        while LAST not in terminal.text:
            if not terminal.read() or time.monotonic() - begun > MOST_SECONDS:
                return None
        opened = time.monotonic() - begun
        quieten(terminal)
        computed, memory = cpu_seconds(terminal.child.pid), _resident(terminal.child.pid)
        step, step_cpu = scroll(terminal)
        resize_cpu, settled = resize(terminal, resizes)
        terminal.child.setwinsize(terminal.screen.lines, terminal.screen.columns)
        quieten(terminal)
        return Figures(
            *(opened, computed, memory, step, step_cpu, resize_cpu, settled),
            *echo(terminal),
        )
    finally:
        terminal.close()


def quieten(terminal: Terminal) -> float:
    """Wait until nothing is drawn any more; seconds until the last that was."""
    begun = last = time.monotonic()
    while (now := time.monotonic()) - last < QUIET_SECONDS and now - begun < MOST_SECONDS:
        before = len(terminal.written)
        terminal.read(QUIET_SECONDS / 4)
        if len(terminal.written) - before > BLINK_BYTES:
            last = time.monotonic()
    return last - begun


def scroll(terminal: Terminal) -> tuple[float, float]:
    """The median of some turns of the wheel, and their processor time."""
    recording = record(terminal, [(STEP_SECONDS, WHEEL_UP)] * STEPS, 1.0)
    shown = [terminal.text]

    def has_changed() -> bool:
        before, shown[0] = shown[0], terminal.text
        return before != shown[0]

    taken = sorted(recording.times(terminal, [has_changed] * STEPS))
    passed = STEPS * STEP_SECONDS + 1.0
    return taken[STEPS // 2], recording.share * passed / STEPS


def resize(terminal: Terminal, count: int) -> tuple[float, float]:
    """Drag the window's edge to and fro: processor time of each size, and seconds to calm."""
    computed = cpu_seconds(terminal.child.pid)
    for number in range(count):
        terminal.child.setwinsize(terminal.screen.lines, 80 + number % 41)
        terminal.read(RESIZE_SECONDS)
        time.sleep(RESIZE_SECONDS / 2)
    settled = quieten(terminal)
    return (cpu_seconds(terminal.child.pid) - computed) / count, settled


def echo(terminal: Terminal) -> tuple[float, float, float]:
    """Type while an answer streams: the time that one key in twenty exceeds, the worst, the share.

    Lines of ten letters behind a number of their own: some programs have one line to write in.
    """
    terminal.type("talk\r")
    terminal.shows("A heading")
    chosen = random.Random(1)
    keys: list[tuple[float, str]] = []
    seen: list[Callable[[], bool]] = []
    for block in range(BLOCKS):
        before = f"<{block}"
        # Alone: some programs insert what follows before they clear.
        keys += [(BETWEEN_SECONDS, CLEAR_LINE), (BETWEEN_SECONDS / 2, before)]
        seen += [lambda: True] * 2
        for letter in LETTERS:
            before += letter
            keys.append((chosen.uniform(*PAUSE_SECONDS), letter))
            seen.append(partial(_stands, terminal, before))
    recording = record(terminal, keys, SETTLE_SECONDS)
    taken = recording.times(terminal, seen)
    letters = [each for number, each in enumerate(taken) if number % (len(LETTERS) + 2) > 1]
    return p95(letters), max(letters), recording.share


def _stands(terminal: Terminal, text: str) -> bool:
    return text in terminal.text


def _resident(process_id: int) -> int:
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
