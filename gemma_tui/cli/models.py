"""`gemma-tui models`: what can be done with model folders on disk."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from functools import partial
from pathlib import Path  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.engine.conversion import convert as conversion
from gemma_tui.engine.protocol import Convert, Converted, ConvertProgress
from gemma_tui.paths import default_paths

if TYPE_CHECKING:
    from gemma_tui.paths import Paths


def models_app() -> typer.Typer:
    """The commands below `gemma-tui models`."""
    app = typer.Typer(help="Look after model folders.", no_args_is_help=True)
    app.callback()(_group)
    app.command()(convert)
    return app


def _group() -> None:
    """Look after model folders."""


def convert(  # one parameter for each option of the command
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="An unquantised model folder; fine-tunes too.")],
    bits: Annotated[int, typer.Option(metavar="N", help="Bits of a weight: 4, 5, 6 or 8.")],
    group_size: Annotated[
        int, typer.Option(metavar="N", help="Weights that share a scale: 32, 64 or 128.")
    ] = 64,
    ple_bits: Annotated[
        int | None,
        typer.Option(metavar="N", help="Bits of the per-layer embeddings; as --bits if absent."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The new folder; FOLDER-Nbit here if absent."),
    ] = None,
) -> None:
    """Write a quantised copy of a model folder. The folder itself is only read."""
    source = folder.absolute()
    target = out or Path(f"{source.name}-{bits}bit")
    request = Convert(str(source), str(target.absolute()), bits, group_size, ple_bits)
    context.obj.action = partial(run_convert, request, default_paths())


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
