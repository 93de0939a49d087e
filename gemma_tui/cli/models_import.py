"""`gemma-tui models import`: a model folder copied, with its progress on one line."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from gemma_tui.byte_size import format_size
from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.hub.import_folder import Imported, import_folder

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths


def run_import(folder: Path, paths: Paths) -> int:
    """Copy a model folder, and print the path of the copy; returns the exit code.

    Args:
        folder: What to copy.
        paths: Where models are kept.

    Raises:
        GemmaError: It is no model folder, or the copy cannot be written; what was copied is kept.
        KeyboardInterrupt: Ctrl-C; what was copied is kept.
    """
    return asyncio.run(until_signalled(_import(folder, paths)))


async def _import(folder: Path, paths: Paths) -> None:
    progress = Progress(sys.stderr)
    try:
        for event in import_folder(folder, paths.models):
            if isinstance(event, Imported):
                progress.clear()
                sys.stdout.write(f"{event.folder}\n")
                sys.stdout.flush()
                return
            done, total = event.done_bytes, event.total_bytes
            share = 100 * done // max(total, 1)
            progress.show(
                f"{share:>3} %  {format_size(done)} of {format_size(total)}, {event.file}"
            )
            await asyncio.sleep(0)  # a signal ends it here
    finally:
        progress.clear()
