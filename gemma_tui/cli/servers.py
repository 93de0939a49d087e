"""`gemma-tui servers`: machines that answer in the place of this one."""

from __future__ import annotations

import asyncio
import getpass
import sys
import time
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gemma_tui.cli.engine_place import named_server, remote_model
from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.engine.client import EngineClient
from gemma_tui.errors import UsageError
from gemma_tui.generation import Finished, GenerationRequest, PromptMessage, TextDelta
from gemma_tui.options import GenerationOptions
from gemma_tui.paths import default_paths
from gemma_tui.sanitize import sanitize_line
from gemma_tui.server_name import as_model
from gemma_tui.settings.file import SettingsFile
from gemma_tui.settings.server_keys import ServerKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.engine.remote import RemoteModel
    from gemma_tui.generation import ModelInfo
    from gemma_tui.paths import Paths

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the server is called here.")]


def servers_app() -> typer.Typer:
    """The commands below `gemma-tui servers`."""
    app = typer.Typer(help="Servers that answer in the place of this machine.")
    app.callback(invoke_without_command=True)(_group)
    for command in (show, add, test, key, remove):
        app.command("list" if command is show else None)(command)
    return app


def _group(context: typer.Context) -> None:
    """Servers that answer in the place of this machine. Nothing is sent before one is chosen."""
    if context.invoked_subcommand is None:
        show(context)


def show(context: typer.Context) -> None:
    """List the servers of the settings; nobody is asked anything."""
    context.obj.action = partial(list_servers, default_paths())


def add(  # one parameter for each option of the command
    context: typer.Context,
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="As http://HOST:PORT/v1.")],
    model: Annotated[
        str, typer.Option("--server-model", metavar="ID", help="Its model there; else the first.")
    ] = "",
    sees: Annotated[
        bool | None, typer.Option("--sees/--no-sees", help="Whether its model takes pictures.")
    ] = None,
    hears: Annotated[
        bool | None, typer.Option("--hears/--no-hears", help="Whether it takes sound.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option("--context", metavar="N", help="Tokens of its context.")
    ] = None,
    image_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Most soft tokens it gives a picture; 280.")
    ] = None,
) -> None:
    """Add a server to the settings, or change one. What is left out, the server is asked."""
    given: dict[str, Any] = {"model": model or None, "sees": sees, "hears": hears}
    given |= {"context": tokens, "image_tokens": image_tokens}
    table = {key: value for key, value in given.items() if value is not None}
    context.obj.action = partial(add_server, default_paths(), name, {"url": url, **table})


def test(context: typer.Context, name: Name) -> None:
    """Ask a server what it has, and one short question."""
    context.obj.action = partial(test_server, default_paths(), name)


def key(context: typer.Context, name: Name) -> None:
    """Keep the key of a server in a file that only you can read. It is typed, or piped."""
    context.obj.action = partial(keep_key, default_paths(), name)


def remove(context: typer.Context, name: Name) -> None:
    """Take a server out of the settings, and forget its key."""
    context.obj.action = partial(remove_server, default_paths(), name)


def list_servers(paths: Paths) -> int:
    """Print a line for each server; returns the exit code."""
    content = SettingsFile(paths.settings).read()
    for problem in content.problems:
        sys.stderr.write(f"gemma-tui: {sanitize_line(problem)}\n")
    for server in content.servers.values():
        senses = (_known("sees", server.sees), _known("hears", server.hears))
        model = sanitize_line(server.model) or "its first model"
        line = ", ".join((server.base_url, model, *filter(None, senses)))
        sys.stdout.write(f"{as_model(server.name)}  {line}\n")
    if not content.servers:
        sys.stderr.write("There are none. gemma-tui servers add NAME http://HOST:PORT/v1\n")
    sys.stdout.flush()
    return 0


def add_server(paths: Paths, name: str, table: dict[str, Any]) -> int:
    """Write a server to the settings; returns the exit code.

    Raises:
        SettingsError: Something about it cannot be used, or the file cannot be written.
    """
    from gemma_tui.settings.servers import read_server  # noqa: PLC0415  # not for other commands

    server = read_server(name, table)
    SettingsFile(paths.settings).set_server(name, server)
    if server.warning:
        sys.stderr.write(f"gemma-tui: {server.warning}\n")
    sys.stdout.write(
        f"{name} is in the settings; nothing was sent to it.\n"
        f"  gemma-tui servers test {name}           what it can do\n"
        f"  gemma-tui servers key {name}            if it wants a key\n"
        f"  gemma-tui --model {as_model(name)}    chat with it\n"
    )
    sys.stdout.flush()
    return 0


def remove_server(paths: Paths, name: str) -> int:
    """Take a server out of the settings; returns the exit code.

    Raises:
        SettingsError: It is not there, or the file cannot be written.
    """
    file = SettingsFile(paths.settings)
    had_key = ServerKeys(paths.server_keys).forget(name)
    if name not in file.read().servers and not had_key:
        named_server(paths, name)
    file.set_server(name, None)
    sys.stdout.write(f"{sanitize_line(name)} is removed{', and its key' if had_key else ''}.\n")
    sys.stdout.flush()
    return 0


def keep_key(paths: Paths, name: str, ask: Callable[[str], str] = getpass.getpass) -> int:
    """Keep a key; returns the exit code.

    Args:
        paths: Where settings and keys are.
        name: Of the server.
        ask: Lets somebody type without showing it.

    Raises:
        UsageError: There is nothing on the standard input.
        SettingsError: There is no such server, it is no key, or the file cannot be written.
    """
    server = named_server(paths, name)
    if sys.stdin is None:
        raise UsageError("There is no standard input to read the key from.")
    text = ask(f"Key of {name} (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    ServerKeys(paths.server_keys).keep(server, text.strip())
    if server.warning:
        sys.stderr.write(f"gemma-tui: {server.warning} The key, too.\n")
    sys.stdout.write(f"Kept in {paths.server_keys}, for {server.origin} only.\n")
    sys.stdout.flush()
    return 0


def test_server(paths: Paths, name: str) -> int:
    """Print what a server says of itself, and how it answers; returns the exit code.

    Raises:
        GemmaError: It is not in the settings, or did not answer as it should.
        KeyboardInterrupt: Ctrl-C.
    """
    return asyncio.run(until_signalled(_test(paths, name)))


async def _test(paths: Paths, name: str) -> None:
    progress = Progress(sys.stderr)
    progress.show(f"asking {name}")
    encoder = EngineClient(paths.engine_log)  # is not started: no medium is sent
    remote = await asyncio.to_thread(remote_model, paths, encoder, name)
    try:
        info = await remote.connect()
        progress.clear()
        lines = described(remote, info)
        sys.stdout.write("\n".join(map(sanitize_line, lines)) + "\n")
        sys.stdout.flush()
        progress.show(f"waiting for {name} to answer")
        line = await _answer(remote)
        progress.clear()
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    finally:
        progress.clear()
        await remote.close()


def described(remote: RemoteModel, info: ModelInfo) -> list[str]:
    """What is known of a server's model, and what nobody said, in lines."""
    server, known = remote.server, remote.known
    words = (("sees", info.can_see), ("hears", info.can_hear))
    senses = ", ".join(word for word, can in words if can) or "text only"
    is_told = server.sees is not None or server.hears is not None
    if known is not None and known.sees is None and not is_told:
        senses += ", as the server does not say (servers add … --sees --hears)"
    context = f"{info.context_length:,} tokens"
    if known is not None and not (known.context or server.context):
        context += " assumed, as the server does not say (servers add … --context N)"
    others = ", ".join(known.others[:5]) if known is not None else ""
    return [
        info.name,
        f"  address   {server.base_url}",
        f"  context   {context}",
        f"  takes     {senses}",
        *([f"  has also  {others}"] if others else []),
        *(f"  mind      {sentence}" for sentence in info.limitations),
    ]


async def _answer(remote: RemoteModel) -> str:
    """One line about a short reply."""
    from gemma_tui.conversation import TextPart  # noqa: PLC0415  # not for other commands

    question = PromptMessage("user", (TextPart("Say hello in one word."),))
    request = GenerationRequest((question,), options=GenerationOptions(max_tokens=64))
    begun, first, text = time.monotonic(), 0.0, ""
    async with aclosing(remote.generate(request)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                text += event.text
            if not isinstance(event, Finished):
                first = first or time.monotonic() - begun
    said = sanitize_line(text.strip())[:60]
    return f"  answers   “{said}”, beginning after {first:.1f} s"


def _known(word: str, can: bool | None) -> str:  # as the settings have it
    return "" if can is None else word if can else f"does not {word.removesuffix('s')}"
