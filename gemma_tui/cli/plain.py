"""Plain mode, put together: stores, engine, chat, and a loop over lines."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from gemma_tui.chat import Chat
from gemma_tui.cli.signals import until_signalled
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.exchange.exchange import Exchange
from gemma_tui.plain.command_runner import CommandRunner
from gemma_tui.plain.console import Console
from gemma_tui.plain.conversing import Conversing
from gemma_tui.plain.loop import PlainLoop
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.trees import TreeStore
from gemma_tui.tui.preferences import folder_of, system_prompt_of

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths


def run_plain(paths: Paths, model: Path | None) -> int:
    """Chat on the standard streams until they end or the user leaves; returns the exit code.

    Args:
        paths: Where conversations and logs are.
        model: The model folder to load; None is as the settings say.

    Raises:
        GemmaError: The conversations cannot be opened, or nothing can be written.
    """
    given = {"model": str(model.absolute())} if model else {}
    configuration = Configuration(SettingsFile(paths.settings), os.environ, given)
    failures: list[bool] = []
    code = asyncio.run(until_signalled(_run(paths, configuration, failures)))
    # Whoever types has read what went wrong; a script has only the exit code.
    return code or int(any(failures) and not sys.stdin.isatty())


async def _run(paths: Paths, configuration: Configuration, failures: list[bool]) -> None:
    edits = sys.stdin.isatty() and sys.stdout.isatty()
    async with AsyncExitStack() as stack:
        database = await Database.open(paths.database, recover=True)
        stack.push_async_callback(database.close)
        command = worker_command(paths.engine_log, paths.engine_cache)
        engine = EngineClient(paths.engine_log, command=command)
        stack.push_async_callback(engine.close)
        console = Console(sys.stdout, sys.stderr, edits=edits)
        stack.callback(console.close)
        store, blobs = ConversationStore(database), BlobStore(paths.blobs)
        await store.mark_interrupted()
        for problem in configuration.problems:
            console.note(problem)
        if database.set_aside is not None:
            console.note(f"The database was damaged; it is kept as {database.set_aside}.")
        chat = Chat(store, blobs, engine, system_prompt_of(configuration))
        conversing = Conversing(chat, store, configuration, console)
        exchange = Exchange(TreeStore(database), blobs, engine.probe)
        commands = CommandRunner(conversing, store, engine, configuration, exchange, console)
        loop = PlainLoop(conversing, commands, engine, console)
        running = asyncio.get_running_loop()
        running.add_signal_handler(signal.SIGINT, loop.interrupt)
        stack.callback(running.remove_signal_handler, signal.SIGINT)
        await loop.run(folder_of(configuration.resolve().settings.model))
        failures.append(loop.has_failed)
