"""How long the start takes: `python -m tests.bench.startup [runs]`, by hand, on an idle machine.

Prints, as medians: from the start of the process until the composer is painted, until a key typed
at that moment is echoed (the composer has the focus), and until the model is ready.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from gemma_tui.paths import builtin_model
from tests.tui.terminal import Terminal


def cpu_seconds(process_id: int) -> float:
    """Processor time a process used so far; 0 where there is no /proc."""
    stat = Path(f"/proc/{process_id}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure() -> tuple[float, float, float, float]:
    """One start with an empty data folder: seconds to paint, echo, model; and CPU to paint."""
    with tempfile.TemporaryDirectory() as home:
        begun = time.monotonic()
        terminal = Terminal.app(Path(home), builtin_model())
        terminal.shows("Ask Gemma")
        painted = time.monotonic() - begun
        computed = cpu_seconds(terminal.child.pid)
        terminal.type("x")
        terminal.until(lambda: any("│ x " in line for line in terminal.screen.display))
        echoed = time.monotonic() - begun
        terminal.shows("ready")
        ready = time.monotonic() - begun
        terminal.type("\x11")
        terminal.wait()
        terminal.close()
        return painted, computed, echoed, ready


def main(runs: int = 10) -> None:
    """Run and print."""
    rows = [measure() for _ in range(runs)]
    names = ("first paint", "of it CPU", "key echoed", "model ready")
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        spread = f"{min(values):.2f} to {max(values):.2f}"
        line = f"{name:<12} median {statistics.median(values):.2f} s ({spread}, n={runs})"
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
