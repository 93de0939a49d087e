"""Every figure of the interface, in one run: `python -m tests.bench.interface [--oterm PYTHON]`.

    start    first paint, composer with focus, model ready
    programs opening a long conversation, memory, scrolling, 200 resizes and typing beside a stream,
             next to Textual's own `Markdown` widget as a chat, and to oterm if its interpreter is given
    flush    what text costs while it streams, by kind and length, next to `Markdown`
    typing   keys and Esc in a conversation of 500 messages
    search   in a store of 100,000 messages

By hand, on an idle machine: the whole takes some ten minutes. `--part` runs one of them, and may be
repeated. Every program runs in a pty of 100 x 30, by itself. Toad is not among them: it needs a
Python that is newer than ours.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench import startup, storage, transcript, typing
from tests.bench.interface.fake_ollama import fake_ollama
from tests.bench.interface.long import Figures, measure
from tests.bench.interface.subjects import Subject, markdown, oterm, ours

PARTS: Final = ("start", "programs", "flush", "typing", "search")
LONG, SHORT, FIRST = 2000, 100, 2
"""Messages: as many as ours must open, as many as the others can, and as few as tell the start."""

RESIZES: Final = {"gemma-tui": 200, "Markdown": 10, "oterm": 10}
"""Theirs take too long for more; the figure is that of one."""

Make = Callable[[Path, int], Subject]


def programs(python: Path | None) -> None:
    """Whole programs, one after the other."""
    heads = "program     messages  open s (CPU)   memory   a step (CPU)   a resize, CPU   settled"
    print(f"{heads}   key p95, worst   CPU")  # noqa: T201
    with fake_ollama() as server, tempfile.TemporaryDirectory() as folder:
        makes: list[tuple[str, Make, tuple[int, ...]]] = [
            ("gemma-tui", ours, (FIRST, SHORT, LONG)),
            ("Markdown", markdown, (FIRST, SHORT)),
        ]
        if python is not None:
            makes.append(("oterm", partial(oterm, python=python, server=server), (FIRST, SHORT)))
        for name, make, counts in makes:
            for count in counts:
                figures = measure(make(Path(folder) / f"{name}-{count}", count), RESIZES[name])
                print(f"{name:10} {count:9}  {_columns(figures)}", flush=True)  # noqa: T201


def _columns(figures: Figures | None) -> str:
    if figures is None:
        return "not open after two minutes"
    # A conversation that fits the screen cannot be scrolled.
    step = f"{1000 * figures.step:.0f}" if math.isfinite(figures.step) else "–"
    return (
        f"{figures.opened:6.2f} ({figures.opened_cpu:5.2f})  {figures.memory / 1e6:4.0f} MB"
        f"  {step:>4} ({1000 * figures.step_cpu:3.0f}) ms"
        f"  {1000 * figures.resize_cpu:11.1f} ms  {1000 * figures.settled:5.0f} ms"
        f"  {1000 * figures.echo:5.0f}, {1000 * figures.echo_worst:5.0f} ms"
        f"  {100 * figures.share:4.0f} %"
    )


def main() -> None:
    """Run the parts, each under its name and the load of the machine."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.interface")
    parser.add_argument("--oterm", type=Path, help="interpreter of a venv with oterm 0.26")
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument(
        "--runs", type=int, default=10, help="starts, and flushes for each case: x 4"
    )
    options = parser.parse_args()
    runs: int = options.runs
    kinds = ["prose", "code", "table", "paragraph"]
    parts: dict[str, Callable[[], None]] = {
        "start": lambda: startup.main(runs),
        "programs": lambda: programs(options.oterm),
        "flush": lambda: transcript.main([str(4 * runs), *kinds]),
        "typing": lambda: typing.main(20 * runs),
        "search": storage.main,
    }
    for name in options.part or PARTS:
        load = " ".join(f"{value:.1f}" for value in os.getloadavg())
        sys.stdout.write(f"\n== {name} (load average {load})\n")
        sys.stdout.flush()
        parts[name]()


if __name__ == "__main__":
    main()
