"""`gemma-tui history`: what can be done with stored conversations, also while the app is open."""

from __future__ import annotations

from functools import partial
from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gemma_tui.paths import default_paths

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gemma_tui.cli.history_place import HistoryPlace

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[int, typer.Argument(metavar="ID", help="As `history list` shows it.")]
Form = Literal["md", "json", "html"]


def history_app() -> typer.Typer:
    """The commands below `gemma-tui history`."""
    app = typer.Typer(help="Look after stored conversations.", no_args_is_help=True)
    app.callback()(_group)
    app.command("list")(show_list)
    app.command()(search)
    app.command()(show)
    app.command("export")(export)
    app.command("import")(import_file)
    app.command()(delete)
    app.command()(restore)
    return app


def _group() -> None:
    """Look after stored conversations. Works while the app is open."""


def show_list(
    context: typer.Context,
    archived: Annotated[bool, typer.Option("--archived", help="Those put away.")] = False,
    json: AsJson = False,
) -> None:
    """List conversations: the pinned, then the one changed last first."""
    from gemma_tui.cli.history_output import print_list  # noqa: PLC0415  # not for --help

    _do(context, lambda place: print_list(place, archived=archived, as_json=json))


def search(
    context: typer.Context,
    query: Annotated[list[str], typer.Argument(metavar="WORDS", help="“…” is a phrase.")],
    limit: Annotated[
        int, typer.Option(metavar="N", help="The most messages.", min=1, max=10_000)
    ] = 50,
    json: AsJson = False,
) -> None:
    """Find messages and titles that hold all the words. The newest first; archived ones too."""
    from gemma_tui.cli.history_output import print_hits  # noqa: PLC0415

    words = " ".join(query)
    _do(context, lambda place: print_hits(place, words, limit=limit, as_json=json))


def show(context: typer.Context, conversation_id: Which, json: AsJson = False) -> None:
    """Print a conversation as text: the branch that the app shows."""
    from gemma_tui.cli.history_output import print_conversation  # noqa: PLC0415

    _do(context, lambda place: print_conversation(place, conversation_id, as_json=json))


def export(  # one parameter for each option of the command
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option(metavar="PATH", help="The file, or a folder; “-” writes to the output."),
    ],
    conversation_id: Annotated[int | None, typer.Argument(metavar="ID")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every conversation.")] = False,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format", help="As the ending of PATH says, else md. json can be imported again."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Write a conversation, or all of them, to a file.

    Markdown brings its pictures and sounds in a folder beside it. All conversations are one file
    as json, and a file each in the folder PATH otherwise.
    """
    from gemma_tui.cli.history_files import (  # noqa: PLC0415
        Export,
        check_folder,
        chosen_form,
        run_export,
    )

    wanted = Export(conversation_id, all_of_them, chosen_form(form, out), out, force)
    if form is None and all_of_them:
        check_folder(wanted)
    _do(context, lambda place: run_export(place, wanted))


def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="From gemma-tui, ChatGPT (JSON or zip), oterm.")],
    json: AsJson = False,
    copies: Annotated[
        bool, typer.Option("--copies", help="Import what is here already once more.")
    ] = False,
) -> None:
    """Import conversations: all that are in a file, or none. What it is, its content decides."""
    from gemma_tui.cli.history_files import run_import  # noqa: PLC0415

    _do(context, lambda place: run_import(place, file, as_json=json, copies=copies))


def delete(
    context: typer.Context,
    conversation_id: Which,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a conversation. It can be restored until the app is started the next time."""
    from gemma_tui.cli.history_files import run_delete  # noqa: PLC0415

    _do(context, lambda place: run_delete(place, conversation_id, is_sure=yes))


def restore(context: typer.Context, conversation_id: Which) -> None:
    """Bring a deleted conversation back."""
    from gemma_tui.cli.history_files import run_restore  # noqa: PLC0415

    _do(context, lambda place: run_restore(place, conversation_id))


def _do(context: typer.Context, work: Callable[[HistoryPlace], Awaitable[None]]) -> None:
    from gemma_tui.cli.history_place import run_in_place  # noqa: PLC0415

    context.obj.action = partial(run_in_place, default_paths(), work)
