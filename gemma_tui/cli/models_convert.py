"""`gemma-tui models convert`: a quantised copy of a model folder."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.engine.conversion import convert as conversion
from gemma_tui.engine.protocol import Convert, Converted, ConvertProgress

if TYPE_CHECKING:
    from gemma_tui.paths import Paths


def run_convert(request: Convert, paths: Paths) -> int:
    """Convert, with progress on stderr and the new folder's path on stdout; returns the exit code.

    Args:
        request: What to convert, and to what.
        paths: Where the engine logs.

    Raises:
        GemmaError: Whatever kept the folder from being written.
        KeyboardInterrupt: Ctrl-C; nothing of the new folder is left.
    """
    return asyncio.run(until_signalled(_convert(request, paths)))


async def _convert(request: Convert, paths: Paths) -> None:
    progress = Progress(sys.stderr)
    progress.show("starting the engine")
    try:
        async with aclosing(conversion(request, paths.engine_log)) as events:
            async for event in events:
                match event:
                    case ConvertProgress(done, total):
                        progress.show(_share(done, total))
                    case Converted(folder):
                        progress.clear()
                        sys.stdout.write(f"{folder}\n")
                        sys.stdout.flush()
    finally:
        progress.clear()


def _share(done: int, total: int) -> str:
    return f"converting, {100 * done // max(total, 1)} % of {total / 1e9:.1f} GB"
