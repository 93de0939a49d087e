"""What a flush of the transcript costs while an answer streams; run by hand.

    python -m tests.bench.transcript [flushes per case] [kind]…

Runs the real widget on a pseudo-terminal of 120 x 40 with Textual's own driver. For each kind of
answer it is filled to a length, then grows by 12 characters (three tokens) a flush, a flush each
33 ms at the most. Printed are, for each length: CPU milliseconds of the process per flush (drawing,
layout and writing to the terminal included) and their ratio to the shortest length, how late the
event loop was (median and worst; meaningful on an idle machine only), and the resident memory.
Beside it, in the same run, the same with Textual's own `Markdown` widget, `append` for each flush
(a tenth of the flushes: it gets slow).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
from textual.app import App
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from gemma_tui.conversation import Message, MessageState
from gemma_tui.tui.line_filter import SafeLines
from gemma_tui.tui.transcript import Transcript
from tests.bench.interface.texts import KINDS, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.filter import LineFilter

PATIENCE_SECONDS = 120
LENGTHS = (1_000, 10_000, 50_000)
CHARACTERS = 12


class BenchApp(App[None]):
    """Streams one answer, measures, and writes the figures to a file."""

    def __init__(self, kind: str, length: int, flushes: int, result: Path) -> None:
        super().__init__()
        self.kind, self.length, self.flushes, self.result = kind, length, flushes, result

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [SafeLines(), *super().get_line_filters()]

    def compose(self) -> ComposeResult:
        yield Transcript()

    def on_mount(self) -> None:
        self.run_worker(self.measure())

    async def measure(self) -> None:
        """Fill, settle, stream, and count."""
        lags: list[float] = []
        await self.fill()
        await asyncio.sleep(1)
        watching = asyncio.create_task(watch_lag(lags))
        cpu = time.process_time()
        await self.stream()
        spent = time.process_time() - cpu
        watching.cancel()
        lags.sort()
        figures = {
            "flush_ms": 1000 * spent / self.flushes,
            "lag50_ms": 1000 * lags[len(lags) // 2],
            "lag_ms": 1000 * lags[-1],
            "memory_mb": resident_bytes() / 1e6,
        }
        self.result.write_text(json.dumps(figures))
        self.exit()

    @property
    def pieces(self) -> list[str]:
        """What is streamed, flush by flush."""
        text = text_of(self.kind, self.length + CHARACTERS * self.flushes)
        return [text[at : at + CHARACTERS] for at in range(self.length, len(text), CHARACTERS)]

    async def fill(self) -> None:
        """Show what was written before."""
        transcript = self.query_one(Transcript)
        message = Message(1, 1, None, "model", (), MessageState.STREAMING, 0.0, model="Gemma")
        transcript.show([message])
        transcript.add_text(1, text_of(self.kind, self.length))

    async def stream(self) -> None:
        """Go on with it."""
        transcript = self.query_one(Transcript)
        for piece in self.pieces:
            transcript.add_text(1, piece)
            while transcript._changed:  # noqa: ASYNC110  # nothing tells when it is drawn
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.02)


class MarkdownApp(BenchApp):
    """The same with Textual's own widget."""

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Markdown()

    async def fill(self) -> None:
        """Show what was written before."""
        self.query_one(VerticalScroll).anchor()
        # Not by `update`: what is appended after that is taken for the beginning (Textual 8.2.8).
        await self.query_one(Markdown).append(text_of(self.kind, self.length))

    async def stream(self) -> None:
        """Go on with it."""
        widget = self.query_one(Markdown)
        for piece in self.pieces:
            await widget.append(piece)
            await asyncio.sleep(0.033)


async def watch_lag(lags: list[float]) -> None:
    """Note how late the event loop wakes up, every 10 ms, in seconds."""
    while True:
        now = time.perf_counter()
        await asyncio.sleep(0.01)
        lags.append(time.perf_counter() - now - 0.01)


def resident_bytes() -> int:
    """Memory of this process (Linux only)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def run_case(side: str, kind: str, length: int, flushes: int) -> dict[str, float] | None:
    """One case in a process of its own, on a pseudo-terminal; None if it takes for ever."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "figures.json"
        arguments = [
            "-m",
            "tests.bench.transcript",
            "--case",
            side,
            kind,
            str(length),
            str(flushes),
        ]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        child = pexpect.spawn(
            sys.executable, [*arguments, str(result)], dimensions=(40, 120), env=environment
        )
        try:
            child.expect(pexpect.EOF, timeout=PATIENCE_SECONDS)
        except pexpect.TIMEOUT:
            child.close(force=True)
            return None
        child.close()
        figures: dict[str, float] = json.loads(result.read_text())
        return figures


def main(arguments: list[str]) -> None:
    """Run every case and print a table."""
    if arguments[:1] == ["--case"]:
        side, kind, at, times, result = arguments[1:]
        app = BenchApp if side == "ours" else MarkdownApp
        app(kind, int(at), int(times), Path(result)).run()
        return
    flushes = int(arguments[0]) if arguments else 200
    print("side      kind       length  CPU ms/flush  ratio  lag median  lag max ms   MB")  # noqa: T201
    for kind in arguments[1:] or KINDS:
        for side, count in (("ours", flushes), ("Markdown", max(10, flushes // 10))):
            first = 0.0
            for length in LENGTHS:
                figures = run_case(side, kind, length, count)
                first = first or (figures["flush_ms"] if figures else 0.0)
                print(f"{side:9} {kind:10} {length:6}  {_columns(figures, first)}", flush=True)  # noqa: T201


def _columns(figures: dict[str, float] | None, first: float) -> str:
    if figures is None:
        return f"not done after {PATIENCE_SECONDS} s"
    return (
        f"{figures['flush_ms']:12.1f}  {figures['flush_ms'] / first:5.2f}"
        f"  {figures['lag50_ms']:10.0f}  {figures['lag_ms']:10.0f}  {figures['memory_mb']:4.0f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
