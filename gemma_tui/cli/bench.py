"""`gemma-tui bench`: how fast models are on this machine, measured through the engine process.

Results go to the standard output as they come, progress to the standard error, and what a model has
shown to a file of the data folder, once it is whole.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.answer_stream import write_answer
from gemma_tui.bench.result import BenchmarkOrder, BenchmarkProgress, ModelBenchmark
from gemma_tui.bench.run import benchmark
from gemma_tui.bench.saved import SavedBenchmarks
from gemma_tui.bench.table import as_json as to_json
from gemma_tui.bench.table import as_text
from gemma_tui.cli.ask import log_path
from gemma_tui.cli.closed_output import require_output
from gemma_tui.cli.config import configuration_of
from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.errors import GemmaError, UsageError
from gemma_tui.hub.wanted_model import named_model
from gemma_tui.model_sizes import BUILTIN_NAME
from gemma_tui.paths import builtin_model, expand
from gemma_tui.server_name import server_of

if TYPE_CHECKING:
    from gemma_tui.paths import Paths

BUILTIN: Final = "built-in"
"""What the built-in model is called here."""


@dataclass(frozen=True, slots=True)
class BenchOrder:
    """What the command line asks for."""

    models: tuple[str, ...]
    """Folders, names of variants, or `built-in`."""
    model: str
    """What `--model` says; empty: as the settings say."""
    contexts: tuple[int, ...]
    """Tokens of the prompts, the shortest first."""


def run_bench(order: BenchOrder, paths: Paths, *, as_json: bool) -> int:
    """Measure one model after the other; returns the exit code: 1 if one could not be.

    Args:
        order: What to measure.
        paths: Where the engine logs, and what is measured is kept.
        as_json: One object at the end instead of a table for each model.

    Raises:
        UsageError: There is no model of a name.
        KeyboardInterrupt: Ctrl-C; models that were finished are kept.
    """
    require_output(sys.stdout)
    names = order.models or (order.model or configuration_of(paths, {}).resolve().settings.model,)
    folders = [named_folder(name, paths) for name in names]
    run = _Run(order, paths, as_json=as_json)
    code = asyncio.run(until_signalled(run.all(folders)))
    if as_json and run.results:
        write_answer(sys.stdout, to_json(run.results) + "\n")
    return code or run.code


def named_folder(name: str, paths: Paths) -> Path:
    """The folder of a model: itself, the built-in one, or that of a downloaded one.

    Raises:
        UsageError: There is none, it was not downloaded, or it runs on a server.
    """
    if not name or name.casefold() in {BUILTIN, BUILTIN_NAME}:
        return builtin_model()
    if server_of(name):
        raise UsageError(
            f"“{name}” runs on another machine, and this measures models of this one.",
            "Name a model folder, a downloaded model, or built-in.",
        )
    folder = expand(name).absolute()
    if folder.is_dir():
        return folder
    downloaded = named_model(name, paths.config)
    if downloaded is None:
        raise UsageError(
            f"There is no folder and no model “{name}”.",
            f"Name a model folder, {BUILTIN}, or what gemma-tui models list shows.",
        )
    return downloaded


class _Run:
    """One run of the command."""

    def __init__(self, order: BenchOrder, paths: Paths, *, as_json: bool) -> None:
        self._order = BenchmarkOrder(order.contexts)
        self._log = log_path(paths)
        self._saved = SavedBenchmarks(paths.benchmarks)
        self._as_json = as_json
        self._progress = Progress(sys.stderr)
        self.results: list[ModelBenchmark] = []
        self.code = 0

    async def all(self, folders: list[Path]) -> None:
        """Every model in an engine process of its own, so that none disturbs another."""
        try:
            for folder in folders:
                try:
                    await self._one(folder)
                except GemmaError as error:
                    if len(folders) == 1:
                        raise
                    self._progress.tell(f"{folder.name}: {error}")
                    self.code = 1
        finally:
            self._progress.clear()

    async def _one(self, folder: Path) -> None:
        async with AsyncExitStack() as stack:
            engine = EngineClient(self._log, command=worker_command(self._log))
            stack.push_async_callback(engine.close)
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="gemma-tui-"))
            events = benchmark(engine, folder, self._order, Path(scratch))
            async for event in await stack.enter_async_context(aclosing(events)):
                match event:
                    case BenchmarkProgress(what):
                        self._progress.show(f"{folder.name}: {what}")
                    case ModelBenchmark():
                        await self._finish(event)

    async def _finish(self, result: ModelBenchmark) -> None:
        self._progress.clear()
        await asyncio.to_thread(self._saved.add, result)
        if not self._as_json:
            gap = "\n" if self.results else ""
            write_answer(sys.stdout, gap + as_text(result))
        self.results.append(result)
