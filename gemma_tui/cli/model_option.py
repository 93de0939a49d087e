"""`--model`: a folder, the name of a downloaded model, or a server."""

from __future__ import annotations

import os
from pathlib import Path  # typer reads the annotations at run time
from typing import Annotated

import typer

from gemma_tui.errors import UsageError
from gemma_tui.paths import default_paths


def _named_folder(text: str) -> Path:
    if not text.strip():  # else it would be the folder one is in
        raise UsageError("“--model” names no folder.", "Name one, or leave the option out.")
    if os.path.exists(text):  # noqa: PTH110  # what cannot be a path is none
        return Path(text)
    from gemma_tui.hub.wanted_model import named_model  # noqa: PLC0415  # only for a name

    return named_model(text, default_paths().config) or Path(text)


ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        parser=_named_folder,
        help="A model folder, a downloaded model's name, or server:NAME; if absent, as set.",
    ),
]
