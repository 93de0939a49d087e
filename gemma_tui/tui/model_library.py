"""The models of this machine and of the hub: found, brought, verified, removed.

What it does goes on while no screen shows it. Looking at the disk happens in threads; the rows are
values that a screen draws.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gemma_tui.byte_size import format_size
from gemma_tui.engine.protocol import Estimate
from gemma_tui.errors import EngineError, GemmaError, UsageError
from gemma_tui.hub.on_disk import find_models, real_path
from gemma_tui.hub.remote_models import remote_models
from gemma_tui.paths import builtin_model
from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.downloading import Downloads
from gemma_tui.tui.model_rows import (
    Fit,
    ModelPlace,
    ModelRow,
    Present,
    advice_words,
    advised,
    fit_of,
    joined,
    row_of,
)
from gemma_tui.tui.verifying import verified

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.worker import Worker

    from gemma_tui.engine.interface import Engine
    from gemma_tui.tui.downloading import DownloadStatus
    from gemma_tui.tui.model_hub import ModelHub
    from gemma_tui.tui.preferences import Preferences


class LibraryOwner(Protocol):
    """What a library needs from the screen it belongs to."""

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """Run a coroutine function as a worker; show the `GemmaError` it may raise."""

    def show_status(self) -> None:
        """Something the status line says has changed."""

    def announce(self, sentence: str) -> None:
        """Tell something that is no error, whatever screen is shown."""


class ModelLibrary:
    """Everything there is to choose from.

    Args:
        preferences: Which folders are known.
        engine: Says what fits, and what answers.
        owner: The screen.
        hub: Where other models come from; None has none.
    """

    def __init__(
        self,
        preferences: Preferences,
        engine: Engine,
        owner: LibraryOwner,
        hub: ModelHub | None = None,
    ) -> None:
        self._preferences = preferences
        self._engine = engine
        self._owner = owner
        self._hub = hub
        self.downloads = Downloads(hub, self) if hub is not None else None
        """What is on its way; None where nothing can be downloaded."""
        self._found: tuple[ModelRow, ...] = ()
        self._fits: dict[str, Fit] = {}
        self._work: dict[str, str] = {}
        self._damaged: set[str] = set()
        self._bandwidth = 0.0
        self._default = ""
        self._answering: tuple[str, str] = ("", "")
        self._listeners: list[Callable[[], None]] = []

    @property
    def rows(self) -> tuple[ModelRow, ...]:
        """All models as they are now; empty until they have been looked for."""
        downloads = self.downloads.all if self.downloads else {}
        changing = downloads, self._fits, self._work, self._damaged
        return joined(self._found, Present(*changing, self._real_answering(), self._default))

    @property
    def host(self) -> str:
        """Where models are downloaded from."""
        return self._hub.host if self._hub else ""

    @property
    def label(self) -> str:
        """What is on its way, for the status line."""
        return self.downloads.label if self.downloads else ""

    def watch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever a row changes; returns a function that ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def find(self) -> None:
        """Look at the disk and the catalog, then ask the engine what fits.

        Raises:
            GemmaError: The catalog or the cache cannot be read; what is on the disk is shown.
        """
        self._default = await asyncio.to_thread(real_path, self._usual_folder())
        on_disk = await asyncio.to_thread(self._on_disk)
        if not self._found:
            self._found = on_disk  # what is surely there is shown first
            self._tell()
        try:
            others = await asyncio.to_thread(self._hub.find) if self._hub else ()
        except GemmaError:
            self._found = on_disk
            self._tell()
            raise
        places = {row.real_folder for row in others if row.real_folder}
        servers = remote_models(self._preferences.configuration.servers.values())
        here = (row for row in on_disk if row.real_folder not in places)
        self._found = (*here, *others, *map(row_of, servers))
        self._tell()
        for row in self._found:
            if row.folder is not None and row.can_be_loaded and row.place is not ModelPlace.SERVER:
                self._fits[row.key] = await self._fit(row.folder)
                self._tell()
        await self._judge()

    async def _judge(self) -> None:
        """Let the catalogue say what fits; after the engine has looked at what MLX may have."""
        if self._hub is None:
            return
        device = None
        with suppress(EngineError):  # then nobody can say how fast they are, or whether they fit
            device = (await self._engine.status()).device
            # Without a GPU that takes seconds where the processor is busy; `bench` measures there.
            if device is not None and device.has_gpu and not self._bandwidth:
                self._bandwidth = (await self._engine.measure_bandwidth()).bytes_per_second
        judge = partial(self._hub.judged, self._found, device, self._bandwidth)
        self._found = await asyncio.to_thread(judge)
        self._tell()

    async def advice(self) -> str:
        """Which model to get while only the demo is here, and why; empty if there is none.

        Raises:
            GemmaError: As `find`.
        """
        await self.find()
        row = advised(self.rows)
        return sanitize(advice_words(row, self.host)) if row else ""

    def bring(self, row: ModelRow) -> None:
        """Download a model, or go on with it."""
        if self.downloads is not None and row.repo:
            self.downloads.begin(row.repo, row.revision, f"{row.name} {row.kind}".rstrip())

    def pause(self, row: ModelRow) -> None:
        """Let a download rest; what came is kept."""
        if self.downloads is not None:
            self.downloads.pause(row.repo)

    async def freed_bytes(self, row: ModelRow) -> int:
        """What removing a model would free.

        Raises:
            UsageError: It is in use, or not of those that were downloaded.
            GemmaError: The cache cannot be read.
        """
        if row.download is not None:
            return row.download.done_bytes
        if self._hub is None or row.place is not ModelPlace.CACHE:
            raise UsageError(f"{row.name} was not downloaded by gemma-tui, so it is not deleted.")
        if row.answers:
            raise UsageError(f"{row.name} answers now.", "Choose another model first.")
        return await asyncio.to_thread(self._hub.freed_bytes, row)

    async def remove(self, row: ModelRow) -> None:
        """Delete a model, or give up its download; the demo takes the place of a default.

        Raises:
            GemmaError: It cannot be deleted.
        """
        if row.download is not None and self.downloads is not None:
            self.downloads.cancel(row.repo)
            return
        assert self._hub is not None
        freed = await asyncio.to_thread(self._hub.remove, row)
        if row.is_default:
            await self._preferences.set("model", "", "all")
        self._owner.announce(
            f"{sanitize_line(row.name)} is deleted; {format_size(freed)} are free again."
        )
        await self.find()

    async def verify(self, row: ModelRow) -> None:
        """Compare every file of a model with what the hub says of it.

        Raises:
            GemmaError: That is not known, or a file cannot be read.
        """
        if self._hub is None or row.place is not ModelPlace.CACHE or row.key in self._work:
            return
        self._show_work(row.key, "verifying")
        try:
            damaged = await verified(self._hub.verify(row), partial(self._show_work, row.key))
        finally:
            self._work.pop(row.key, None)
        name = sanitize_line(row.name)
        self._damaged.discard(row.key)
        if damaged:
            self._damaged.add(row.key)
            files = sanitize_line(", ".join(damaged))
            self._owner.announce(f"{name} is damaged: {files}. D fetches that again.")
        else:
            self._owner.announce(f"{name} is as it should be, byte for byte.")
        await self.find()

    async def make_default(self, row: ModelRow) -> None:
        """Let a model answer after each start.

        Raises:
            UsageError: It cannot be loaded.
            GemmaError: It is not saved.
        """
        if not row.can_be_loaded:
            raise UsageError(f"{row.name} cannot be loaded.", "Download it first.")
        model = "" if row.place is ModelPlace.BUILTIN else str(row.folder)
        await self._preferences.set("model", model, "all")
        self._default = row.real_folder
        self._tell()

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """As `DownloadsOwner`."""
        return self._owner.perform(work)

    def downloads_changed(self) -> None:
        """As `DownloadsOwner`."""
        self._owner.show_status()
        self._tell()

    def download_ended(self, status: DownloadStatus, folder: Path | None) -> None:
        """As `DownloadsOwner`."""
        name = sanitize_line(status.name)
        if folder is None:
            self._owner.announce(f"{name} was not downloaded. {sanitize_line(status.problem)}")
        else:
            self._damaged.discard(status.repo)
            self._owner.announce(f"{name} is downloaded and verified. Ctrl+L switches to it.")
            self._owner.perform(self.find)

    def _on_disk(self) -> tuple[ModelRow, ...]:
        settings, foreign = self._preferences.settings, self._preferences.foreign_model
        known = (*settings.known_models, *filter(None, (settings.model, foreign)))
        return tuple(map(row_of, find_models(builtin_model(), known, settings.model_library)))

    def _usual_folder(self) -> Path | str:
        model = self._preferences.configuration.resolve().settings.model
        return model or builtin_model()

    async def _fit(self, folder: Path) -> Fit:
        try:
            return fit_of(await self._engine.estimate(Estimate(str(folder))))
        except EngineError:
            return Fit("unknown", "the engine cannot say whether it fits")
        except GemmaError as error:
            return Fit("no", error.message)

    def _real_answering(self) -> str:
        """The folder of the model that answers; links are read once for each model."""
        model = self._engine.state.model
        folder = model.folder if model else ""
        if folder != self._answering[0]:
            self._answering = (folder, real_path(folder) if folder else "")
        return self._answering[1]

    def _show_work(self, key: str, label: str) -> None:
        self._work[key] = label
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()
