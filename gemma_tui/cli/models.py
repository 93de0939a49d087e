"""`gemma-tui models`: what can be done with models on disk, and how one gets there."""

from __future__ import annotations

from functools import partial
from pathlib import Path  # typer reads the annotations at run time
from typing import Annotated

import typer

from gemma_tui.paths import default_paths

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="As `models list` shows it, or OWNER/NAME[@REVISION]."),
]


def models_app() -> typer.Typer:
    """The commands below `gemma-tui models`."""
    app = typer.Typer(help="Get models, and look after them.", no_args_is_help=True)
    app.callback()(_group)
    app.command("list")(show_list)
    app.command()(info)
    app.command()(pull)
    app.command()(verify)
    app.command()(remove)
    app.command("import")(import_model)
    app.command()(path)
    app.command()(convert)
    return app


def _group() -> None:
    """Get models, and look after them. Only `pull` uses the network."""


def show_list(context: typer.Context, json: AsJson = False) -> None:
    """List the models on this disk, and those to be downloaded."""
    from gemma_tui.cli.models_list import run_list  # noqa: PLC0415  # not for --help

    context.obj.action = partial(run_list, default_paths(), as_json=json)


def info(context: typer.Context, name: Name, json: AsJson = False) -> None:
    """Show what a model can do, whether it fits, and where it is."""
    from gemma_tui.cli.models_info import run_info  # noqa: PLC0415

    context.obj.action = partial(run_info, name, default_paths(), as_json=json)


def pull(
    context: typer.Context,
    name: Name,
    connections: Annotated[
        int, typer.Option(metavar="N", min=1, max=16, help="How many at once.")
    ] = 4,
) -> None:
    """Download a model and verify it; prints its folder. Stopped, the same command goes on."""
    from gemma_tui.cli.models_pull import run_pull  # noqa: PLC0415

    context.obj.action = partial(run_pull, name, default_paths(), connections)


def verify(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Also folders that were imported; all if absent."),
    ] = None,
) -> None:
    """Read models again and compare every file with its checksum. Offline."""
    from gemma_tui.cli.models_verify import run_verify  # noqa: PLC0415

    context.obj.action = partial(run_verify, tuple(names or ()), default_paths())


def remove(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do it, without asking.")] = False,
) -> None:
    """Remove a model, or what is there of one, from the disk. Says first what that frees."""
    from gemma_tui.cli.models_remove import run_remove  # noqa: PLC0415

    context.obj.action = partial(run_remove, name, default_paths(), yes=yes)


def import_model(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A model folder, say on a USB disk.")],
) -> None:
    """Copy a model folder to where models are kept. Stopped, the same command goes on."""
    from gemma_tui.cli.models_import import run_import  # noqa: PLC0415

    context.obj.action = partial(run_import, folder, default_paths())


def path(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="As `models list` shows it.")
    ] = None,
) -> None:
    """Print the folder of a model, or those where models are kept."""
    from gemma_tui.cli.models_list import run_path  # noqa: PLC0415

    context.obj.action = partial(run_path, name, default_paths())


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
    from gemma_tui.cli.models_convert import run_convert  # noqa: PLC0415  # not for --help
    from gemma_tui.engine.protocol import Convert  # noqa: PLC0415

    source = folder.absolute()
    target = out or Path(f"{source.name}-{bits}bit")
    request = Convert(str(source), str(target.absolute()), bits, group_size, ple_bits)
    context.obj.action = partial(run_convert, request, default_paths())
