"""The options of `serve`, as typer reads them."""

from __future__ import annotations

from pathlib import Path  # typer reads the annotations at run time
from typing import Annotated, Final

import typer

DEFAULT_PORT: Final = 8642

Port = Annotated[
    int,
    typer.Option(metavar="N", min=0, max=65535, help="Where to listen; 0: any that is free."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Holds the token, for you alone (0600); else one is made."),
]
