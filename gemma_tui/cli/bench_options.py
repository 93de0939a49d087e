"""`gemma-tui bench` as it is typed. Parses and hands over; what it does is in `bench`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from gemma_tui.cli.ask_options import AsJson  # noqa: TC001  # typer reads it at run time
from gemma_tui.paths import default_paths

CONTEXTS = (512, 4096, 16_384)
"""Tokens: a question, a conversation, a document."""


def bench(
    context: typer.Context,
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL...]",
            help="Folders, names of variants, or built-in; as the settings say if absent.",
        ),
    ] = None,
    contexts: Annotated[
        list[int] | None,
        typer.Option(
            "--context",
            metavar="N",
            min=64,
            max=1_000_000,
            help="Tokens of a prompt, instead of 512, 4096 and 16384; may be given several times.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Measure how fast models are here, and what memory they take."""
    from gemma_tui.cli.bench import BenchOrder, run_bench  # noqa: PLC0415  # not needed for --help

    asked = tuple(sorted(set(contexts or CONTEXTS)))
    order = BenchOrder(tuple(models or ()), str(context.obj.model or ""), asked)
    context.obj.action = partial(run_bench, order, default_paths(), as_json=json)
