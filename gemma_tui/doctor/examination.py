"""The whole examination, from what is quick to what takes seconds."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemma_tui.doctor import engine, folders, hearing, models, network, program, terminal
from gemma_tui.hub.local_models import local_folders
from gemma_tui.paths import builtin_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from gemma_tui.doctor.finding import Finding
    from gemma_tui.engine.interface import Engine
    from gemma_tui.microphone.interface import Microphone
    from gemma_tui.network import NetworkGuard
    from gemma_tui.paths import Paths
    from gemma_tui.settings.configuration import Configuration


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined."""

    paths: Paths
    configuration: Configuration
    environ: Mapping[str, str]
    engine: Engine
    microphone: Microphone
    network: NetworkGuard


async def examine(patient: Patient) -> AsyncIterator[Finding]:
    """Look at everything; nothing is changed, and nothing is fatal.

    Yields:
        What was found, as it is found.
    """
    paths, settings = patient.paths, patient.configuration.resolve().settings
    yield program.program()
    yield program.machine()
    for finding in _terminal(patient.environ):
        yield finding
    yield program.settings(patient.configuration.problems)
    yield await asyncio.to_thread(folders.data_folder, paths)
    yield await asyncio.to_thread(folders.database, paths.database)
    yield folders.disk(paths)
    known = (*((settings.model,) if settings.model else ()), *settings.known_models)
    known = (*known, *await asyncio.to_thread(local_folders, paths.models))
    found = models.models(builtin_model(), known, settings.model_library)
    for finding in await asyncio.to_thread(lambda: [*found, *models.catalogue(paths.config)]):
        yield finding
    yield await hearing.microphone(patient.microphone)
    async for finding in engine.engine(patient.engine, builtin_model()):
        yield finding
    yield await network.network(patient.network, patient.engine)


def _terminal(environ: Mapping[str, str]) -> list[Finding]:
    """Standard input and output have to be the same terminal for it to be asked."""
    out = sys.stdout.fileno()
    size = terminal.size_of(out)
    abilities = None
    if size and sys.stdin.isatty() and environ.get("TERM", "dumb") not in {"", "dumb"}:
        abilities = terminal.ask(sys.stdin.fileno(), environ)
    return list(terminal.terminal(environ, size, abilities))
