"""Plain mode, put together: what every chat needs, and a loop over lines."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from gemma_tui.cli.chat_place import opened
from gemma_tui.cli.signals import until_signalled
from gemma_tui.frontend.loaded_model import LoadedModel
from gemma_tui.frontend.own_settings import folder_of
from gemma_tui.plain.command_runner import CommandRunner
from gemma_tui.plain.console import Console
from gemma_tui.plain.conversing import Conversing
from gemma_tui.plain.drafts import PlainDraft
from gemma_tui.plain.loop import PlainLoop
from gemma_tui.plain.model_command import ModelCommand
from gemma_tui.server_name import model_setting
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths


def run_plain(paths: Paths, model: Path | None) -> int:
    """Chat on the standard streams until they end or the user leaves; returns the exit code.

    Args:
        paths: Where conversations and logs are.
        model: The model folder to load, or `server:NAME`; None is as the settings say.

    Raises:
        GemmaError: The conversations cannot be opened, or nothing can be written.
    """
    given = {"model": model_setting(model)} if model else {}
    configuration = Configuration(SettingsFile(paths.settings), os.environ, given)
    failures: list[bool] = []
    code = asyncio.run(until_signalled(_run(paths, configuration, failures)))
    # Whoever types has read what went wrong; a script has only the exit code.
    return code or int(any(failures) and not sys.stdin.isatty())


async def _run(paths: Paths, configuration: Configuration, failures: list[bool]) -> None:
    edits = sys.stdin.isatty() and sys.stdout.isatty()
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(opened(paths, configuration))
        console = Console(sys.stdout, sys.stderr, edits=edits)
        stack.callback(console.close)
        for problem in configuration.problems:
            console.note(problem)
        if place.set_aside is not None:
            console.note(f"The database was damaged; it is kept as {place.set_aside}.")
        engine, store = place.engine, place.store
        draft = PlainDraft(store, console)
        conversing = Conversing(place.chat, store, configuration, console, draft)
        loaded = LoadedModel(engine)
        models = ModelCommand(loaded, engine, conversing, configuration, console)
        commands = CommandRunner(conversing, store, models, place.exchange, console)
        loop = PlainLoop(conversing, commands, engine, console, draft)
        running = asyncio.get_running_loop()
        running.add_signal_handler(signal.SIGINT, loop.interrupt)
        stack.callback(running.remove_signal_handler, signal.SIGINT)
        folder = folder_of(configuration.resolve().settings.model)
        await loop.run(partial(loaded.start, folder))
        failures.append(loop.has_failed)
