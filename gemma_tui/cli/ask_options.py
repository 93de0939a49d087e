"""The options of `ask`, as typer reads them: names, bounds, and one line of help each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gemma_tui.errors import SettingsError
from gemma_tui.settings.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gemma_tui.settings.setting import Value

Attach = Annotated[
    list[str] | None,
    typer.Option(
        "-a", "--attach", metavar="FILE", help="A picture, a sound or a text; - is a pipe."
    ),
]
ImageTokens = Annotated[
    int | None,
    typer.Option(metavar="N", help="Soft tokens a picture may cost: 70, 140, 280, 560, 1120."),
]
Range = Annotated[
    str,
    typer.Option(
        "--range",
        metavar="R",
        help="Pages, lines or rows: 1-5,8 or 20- or all; of a sound: 10:00-12:30; frames a second"
        " of videos: 2, 1/5.",
    ),
]
System = Annotated[str | None, typer.Option(metavar="TEXT", help="The system prompt.")]
Think = Annotated[
    bool | None, typer.Option("--think/--no-think", help="Think before answering, or do not.")
]
MaxThoughtTokens = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Most tokens of the thought; then it must answer."),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Most tokens of the answer, thought included."),
]
Stop = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="End the answer before this text; may be repeated."),
]
Temperature = Annotated[
    float | None,
    typer.Option(metavar="T", min=0.0, help="0 always takes the likeliest token."),
]
TopK = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Draw from the N likeliest tokens; 0: all.")
]
TopP = Annotated[
    float | None, typer.Option(metavar="P", help="Draw from the likeliest that reach P together.")
]
MinP = Annotated[
    float | None, typer.Option(metavar="P", help="Drop tokens below P times the likeliest one.")
]
RepetitionPenalty = Annotated[
    float | None,
    typer.Option(metavar="X", help="Above 1 avoids tokens of the prompt and the answer."),
]
PresencePenalty = Annotated[
    float | None, typer.Option(metavar="X", help="Above 0 avoids tokens of the answer so far.")
]
Seed = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="The same seed, the same answer.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the text.")]
Save = Annotated[bool, typer.Option("--save", help="Keep the conversation, for the app to show.")]


def check_bounds(given: Mapping[str, Value]) -> None:
    """Hold options to the bounds of the settings they stand for.

    Args:
        given: Values by the keys of the settings; None is what was left out.

    Raises:
        typer.BadParameter: One is out of bounds.
    """
    for key, value in given.items():
        if value is None:
            continue
        try:
            SCHEMA[key].check(value)
        except SettingsError as error:
            name = f"--{key.replace('_', '-')}"
            raise typer.BadParameter(error.message, param_hint=name) from None
