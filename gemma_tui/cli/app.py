"""The full-screen app, put together: stores, engine, chat and screen.

Imports the screen only when everything it shows is there. What it looks like is not known here.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from gemma_tui.chat import Chat
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.errors import StorageError, UsageError
from gemma_tui.exchange.exchange import Exchange
from gemma_tui.microphone.client import SystemMicrophone
from gemma_tui.microphone.folder import RecordingFolder
from gemma_tui.microphone.recorder import Recorder
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.open_tabs import OpenTabsFile
from gemma_tui.storage.trees import TreeStore

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths


def run_app(paths: Paths, model: Path | None) -> int:
    """Show the app until the user leaves it; returns the exit code.

    Args:
        paths: Where conversations and logs are.
        model: The model folder to load; None is as the settings say.

    Raises:
        UsageError: This is no terminal.
        StorageError: The conversations cannot be opened.
    """
    # Textual draws on standard error, so that has to be the terminal, too.
    if not all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(
            "The app needs a terminal, and this is a pipe or a file.",
            "Use gemma-tui ask or gemma-tui --plain instead.",
        )
    given = {"model": str(model.absolute())} if model else {}
    # What is wrong with it, the screen says.
    configuration = Configuration(SettingsFile(paths.settings), os.environ, given)
    return asyncio.run(_run(paths, configuration))


async def _run(paths: Paths, configuration: Configuration) -> int:
    async with AsyncExitStack() as stack:
        database = await Database.open(paths.database, recover=True)
        stack.push_async_callback(database.close)
        engine = EngineClient(
            paths.engine_log, command=worker_command(paths.engine_log, paths.engine_cache)
        )
        stack.push_async_callback(engine.close)
        store = ConversationStore(database)
        blobs = BlobStore(paths.blobs)
        await store.mark_interrupted()
        from gemma_tui.tui.app import GemmaApp  # noqa: PLC0415  # slow: not before it can be shown
        from gemma_tui.tui.preferences import system_prompt_of  # noqa: PLC0415

        app = GemmaApp(
            chat=Chat(store, blobs, engine, system_prompt_of(configuration)),
            store=store,
            engine=engine,
            configuration=configuration,
            exchange=Exchange(TreeStore(database), blobs, engine.probe),
            open_tabs=OpenTabsFile(paths.open_tabs),
            recorder=Recorder(
                SystemMicrophone(paths.microphone_log), RecordingFolder(paths.recordings)
            ),
            notice=_notice(database.set_aside),
        )
        tidying = asyncio.create_task(_tidy(store, blobs), name="tidy")
        stack.callback(tidying.cancel)
        await app.run_async()
        return int(app.return_code or 0)


async def _tidy(store: ConversationStore, blobs: BlobStore) -> None:
    """Remove what was deleted in earlier runs, and attachments nobody uses any more."""
    with suppress(StorageError):  # tidying can wait for the next start
        await store.purge()
        await blobs.collect(await store.used_blobs())


def _notice(set_aside: Path | None) -> str:
    if set_aside is None:
        return ""
    return f"The database was damaged, so a new one was begun; the old one is kept as {set_aside}."
