"""The commands and their options. Parses and hands over; what they do is in the other modules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from gemma_tui import __version__
from gemma_tui.cli.ask_options import (
    AsJson,
    Attach,
    ImageTokens,
    MaxThoughtTokens,
    MaxTokens,
    MinP,
    PresencePenalty,
    Range,
    RepetitionPenalty,
    Save,
    Seed,
    Stop,
    System,
    Temperature,
    Think,
    TopK,
    TopP,
    check_bounds,
)
from gemma_tui.cli.bench_options import bench
from gemma_tui.cli.config import config_app, configuration_of
from gemma_tui.cli.history import history_app
from gemma_tui.cli.model_option import ModelOption  # noqa: TC001  # typer reads it at run time
from gemma_tui.cli.models import models_app
from gemma_tui.cli.serve_options import DEFAULT_PORT, Port, TokenFile
from gemma_tui.cli.servers import servers_app
from gemma_tui.cli.terminal import is_dumb_terminal
from gemma_tui.network import NetworkGuard
from gemma_tui.paths import builtin_model, default_paths, expand
from gemma_tui.server_name import model_setting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gemma_tui.options import GenerationOptions
    from gemma_tui.settings.schema import Settings
    from gemma_tui.settings.setting import Value


@dataclass(slots=True)
class Invocation:
    """What the command line asks for.

    The action runs only after typer has returned, which would take a closed pipe or Ctrl-C inside
    a command for its own.
    """

    network: NetworkGuard
    model: Path | None = None
    action: Callable[[], int] | None = None


def run_command(arguments: Sequence[str] | None, network: NetworkGuard | None = None) -> int:
    """Run the command that `arguments` (None: those of this process) name; returns the exit code.

    Args:
        arguments: The command line without the program.
        network: The guard of this process; None guards nothing.

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
    app.command()(record)
    app.command()(doctor)
    app.command()(transcribe)
    app.command()(serve)
    app.command()(bench)
    app.add_typer(models_app(), name="models")
    app.add_typer(history_app(), name="history")
    app.add_typer(config_app(), name="config")
    app.add_typer(servers_app(), name="servers")
    invocation = Invocation(network or NetworkGuard())
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
    plain: Annotated[
        bool, typer.Option("--plain", help="Line by line, without drawing; also for pipes.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Chat with Gemma 4 in the terminal, offline. Without a command: the full-screen app."""
    context.obj.model = model
    if context.invoked_subcommand is None and (plain or is_dumb_terminal()):
        from gemma_tui.cli.plain import run_plain  # noqa: PLC0415  # keeps it out of `ask`

        context.obj.action = partial(run_plain, default_paths(), model)
    elif context.invoked_subcommand is None:
        from gemma_tui.cli.app import run_app  # noqa: PLC0415  # keeps the app out of `ask`

        context.obj.action = partial(run_app, default_paths(), model, context.obj.network)


def ask(  # noqa: PLR0913, PLR0917  # one parameter for each option of the command
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="The question. A pipe may bring it too.")] = "",
    attach: Attach = None,
    image_tokens: ImageTokens = None,
    selection: Range = "",
    system: System = None,
    think: Think = None,
    max_thought_tokens: MaxThoughtTokens = None,
    max_tokens: MaxTokens = None,
    stop: Stop = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    repetition_penalty: RepetitionPenalty = None,
    presence_penalty: PresencePenalty = None,
    seed: Seed = None,
    model: ModelOption = None,
    json: AsJson = False,
    save: Save = False,
) -> None:
    """Ask one question and print the answer, nothing else. Without --save nothing is stored.

    What is left out is as the settings say (gemma-tui config show).
    """
    given: dict[str, Value] = {
        "model": _absolute(model or context.obj.model),
        "system_prompt": system,
        "thinking": think,
        "max_thought_tokens": max_thought_tokens,
        "max_tokens": max_tokens,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "repetition_penalty": repetition_penalty,
        "presence_penalty": presence_penalty,
        "seed": seed,
    }
    check_bounds(given | {"system_prompt": None})  # --system may be as long as it likes
    from gemma_tui.cli.ask import run_ask  # noqa: PLC0415  # not needed for --help
    from gemma_tui.cli.question import Question  # noqa: PLC0415

    paths = default_paths()
    settings = configuration_of(paths, {**given, "token_budget": image_tokens}).resolve().settings
    asked = prompt, tuple(attach or ()), settings.token_budget, settings.system_prompt, selection
    question = Question(*asked, settings.frame_rate, image_tokens, _options(settings, stop))
    asking = question, _folder(settings.model), paths
    context.obj.action = partial(run_ask, *asking, as_json=json, save=save)


def _options(settings: Settings, stop: list[str] | None) -> GenerationOptions:
    return replace(settings.options, stop=tuple(stop or ()))


def record(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="A new WAV file; named after the time if absent.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="D", help="What to record from: a name, a part of it, a number."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="N", min=0.1, help="Stop after so long.")
    ] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="Show what there is to record from.")
    ] = False,
) -> None:
    """Record with the microphone until Enter or Ctrl-C. Prints the path of the file."""
    from gemma_tui.cli.record import RecordOrder, run_list, run_record  # noqa: PLC0415  # as above
    from gemma_tui.microphone.folder import recording_name  # noqa: PLC0415

    paths = default_paths()
    if show_list:
        context.obj.action = partial(run_list, paths)
        return
    wanted = device or configuration_of(paths, {}).resolve().settings.microphone
    path = file or Path(f"{recording_name()}.wav")
    order = RecordOrder(path, wanted, is_required=device is not None, seconds=seconds)
    context.obj.action = partial(run_record, order, paths)


def doctor(context: typer.Context, json: AsJson = False) -> None:
    """Say what works on this machine, and what to do about the rest."""
    from gemma_tui.cli.doctor import run_doctor  # noqa: PLC0415  # as above

    context.obj.action = partial(run_doctor, default_paths(), context.obj.network, as_json=json)


def transcribe(  # one parameter for each option of the command
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Sounds or videos; - is a pipe.")
    ],
    language: Annotated[
        str, typer.Option(metavar="L", help="What is spoken: German, or de. Found out if absent.")
    ] = "",
    translate: Annotated[
        str, typer.Option(metavar="L", help="Write it in this language instead.")
    ] = "",
    form: Annotated[
        str, typer.Option("--format", metavar="F", help="txt, srt (subtitles) or json.")
    ] = "txt",
    model: ModelOption = None,
) -> None:
    """Write down what is said in sounds of any length. Stopped, the same command goes on."""
    from gemma_tui.cli.transcribe import TranscribeOrder, run_transcribe  # noqa: PLC0415  # as above
    from gemma_tui.transcription.prompt import Wish, language_name  # noqa: PLC0415

    paths = default_paths()
    given: dict[str, Value] = {"model": _absolute(model or context.obj.model)}
    settings = configuration_of(paths, given).resolve().settings
    wish = Wish(
        language_name(language) if language else "", language_name(translate) if translate else ""
    )
    order = TranscribeOrder(tuple(files), wish, form, _folder(settings.model), settings)
    context.obj.action = partial(run_transcribe, order, paths)


def serve(
    context: typer.Context,
    port: Port = DEFAULT_PORT,
    token_file: TokenFile = None,
    model: ModelOption = None,
) -> None:
    """Let other programs of this machine ask the model.

    They speak OpenAI's chat API.
    """
    from gemma_tui.cli.serve import ServeOrder, run_serve  # noqa: PLC0415  # as above

    paths = default_paths()
    given: dict[str, Value] = {"model": _absolute(model or context.obj.model)}
    settings = configuration_of(paths, given).resolve().settings
    found = _folder(settings.model), settings.options, settings.idle_minutes
    context.obj.action = partial(run_serve, ServeOrder(port, token_file, *found), paths)


def _absolute(folder: Path | None) -> str | None:
    return model_setting(folder) if folder else None


def _folder(model: str) -> Path:
    return expand(model) if model else builtin_model()
