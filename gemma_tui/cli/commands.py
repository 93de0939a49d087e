"""The commands and their options. Parses and hands over; what they do is in the other modules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from gemma_tui import __version__
from gemma_tui.cli.ask_options import (  # noqa: TC001  # typer reads them at run time
    AsJson,
    Attach,
    ImageTokens,
    MaxThoughtTokens,
    MaxTokens,
    MinP,
    PresencePenalty,
    RepetitionPenalty,
    Save,
    Seed,
    Stop,
    System,
    Temperature,
    Think,
    TopK,
    TopP,
)
from gemma_tui.cli.models import models_app
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.paths import builtin_model, default_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DEFAULTS = GenerationOptions()

ModelOption = Annotated[
    Path | None,
    typer.Option("--model", metavar="FOLDER", help="A model folder; the built-in demo if absent."),
]


@dataclass(slots=True)
class Invocation:
    """What the command line asks for.

    The action runs only after typer has returned, which would take a closed pipe or Ctrl-C inside
    a command for its own.
    """

    model: Path | None = None
    action: Callable[[], int] | None = None


def run_command(arguments: Sequence[str] | None) -> int:
    """Run the command that `arguments` (None: those of this process) name; returns the exit code.

    Raises:
        GemmaError: Whatever kept it from doing what was asked.
        SystemExit: There is nothing to run: `--help`, `--version`, or wrong use.
    """
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(chat)
    app.command()(ask)
    app.add_typer(models_app(), name="models")
    invocation = Invocation()
    try:
        typer.main.get_command(app).main(arguments, prog_name="gemma-tui", obj=invocation)
    except SystemExit:
        if invocation.action is None:
            raise
    return invocation.action() if invocation.action else 0


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gemma-tui {__version__}")
        raise typer.Exit


def chat(
    context: typer.Context,
    model: ModelOption = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Chat with Gemma 4 in the terminal, offline. Without a command: the full-screen app."""
    context.obj.model = model
    if context.invoked_subcommand is None:
        from gemma_tui.cli.app import run_app  # noqa: PLC0415  # keeps the app out of `ask`

        context.obj.action = partial(run_app, default_paths(), model)


def ask(  # noqa: PLR0913, PLR0917  # one parameter for each option of the command
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="The question. A pipe may bring it too.")] = "",
    attach: Attach = None,
    image_tokens: ImageTokens = None,
    system: System = "",
    think: Think = False,
    max_thought_tokens: MaxThoughtTokens = None,
    max_tokens: MaxTokens = _DEFAULTS.max_tokens,
    stop: Stop = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = _DEFAULTS.sampling.min_p,
    repetition_penalty: RepetitionPenalty = _DEFAULTS.sampling.repetition_penalty,
    presence_penalty: PresencePenalty = _DEFAULTS.sampling.presence_penalty,
    seed: Seed = None,
    model: ModelOption = None,
    json: AsJson = False,
    save: Save = False,
) -> None:
    """Ask one question and print the answer, nothing else. Without --save nothing is stored.

    Sampling options that are left out are as the model's generation_config.json says.
    """
    sampling = SamplingOptions(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        presence_penalty=presence_penalty,
    )
    options = GenerationOptions(
        sampling,
        max_tokens=max_tokens,
        thinking=think,
        max_thought_tokens=max_thought_tokens,
        stop=tuple(stop or ()),
    )
    from gemma_tui.cli.ask import run_ask  # noqa: PLC0415  # not needed for --help
    from gemma_tui.cli.question import Question  # noqa: PLC0415

    question = Question(prompt, tuple(attach or ()), image_tokens, system, options)
    folder = model or context.obj.model or builtin_model()
    context.obj.action = partial(
        run_ask, question, folder, default_paths(), as_json=json, save=save
    )
