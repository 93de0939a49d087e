"""The full-screen app, put together: what every chat needs, and the screen.

Imports the screen only when everything it shows is there. What it looks like is not known here.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from gemma_tui.bench.saved import SavedBenchmarks
from gemma_tui.cli.chat_place import opened
from gemma_tui.cli.pauses import without_pauses
from gemma_tui.errors import UsageError
from gemma_tui.microphone.client import SystemMicrophone
from gemma_tui.microphone.folder import RecordingFolder
from gemma_tui.microphone.recorder import Recorder
from gemma_tui.server_name import model_setting
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.storage.open_tabs import OpenTabsFile

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.cli.chat_place import ChatPlace
    from gemma_tui.network import NetworkGuard
    from gemma_tui.paths import Paths
    from gemma_tui.tui.model_hub import ModelHub


def run_app(paths: Paths, model: Path | None, network: NetworkGuard) -> int:
    """Show the app until the user leaves it; returns the exit code.

    Args:
        paths: Where conversations and logs are.
        model: The model folder to load, or `server:NAME`; None is as the settings say.
        network: Knows what this process is connected with.

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
    given = {"model": model_setting(model)} if model else {}
    # What is wrong with it, the screen says.
    configuration = Configuration(SettingsFile(paths.settings), os.environ, given)
    return asyncio.run(_run(paths, configuration, network))


async def _run(paths: Paths, configuration: Configuration, network: NetworkGuard) -> int:
    async with opened(paths, configuration) as place:
        # Within it from the imports on: they make most of the objects that there are.
        with without_pauses():
            return await _show(place, paths, configuration, network)


async def _show(
    place: ChatPlace, paths: Paths, configuration: Configuration, network: NetworkGuard
) -> int:
    from gemma_tui.tui.app import GemmaApp  # noqa: PLC0415  # slow: not before it can be shown
    from gemma_tui.tui.system_clipboard import SystemClipboard  # noqa: PLC0415  # as above

    app = GemmaApp(
        chat=place.chat,
        store=place.store,
        engine=place.engine,
        configuration=configuration,
        exchange=place.exchange,
        open_tabs=OpenTabsFile(paths.open_tabs),
        recorder=Recorder(
            SystemMicrophone(paths.microphone_log), RecordingFolder(paths.recordings)
        ),
        clipboard=SystemClipboard(),
        hub=partial(_hub, paths, network),
        network=network,
        notice=_notice(place.set_aside),
    )
    await app.run_async()
    return int(app.return_code or 0)


def _hub(paths: Paths, network: NetworkGuard) -> ModelHub:
    from gemma_tui.tui.offered_models import OfferedModels  # noqa: PLC0415  # not before it is asked

    return OfferedModels(paths.config, paths.models, SavedBenchmarks(paths.benchmarks), network)


def _notice(set_aside: Path | None) -> str:
    if set_aside is None:
        return ""
    return f"The database was damaged, so a new one was begun; the old one is kept as {set_aside}."
