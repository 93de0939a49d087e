"""Downloads a model from a hub into the shared cache, as an async generator of typed events.

Nothing is a model before every file of it was compared with the hub's own digest. Whatever ends a
download (Esc, kill -9, a full disk, no network), the next one goes on where it stopped.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, aclosing
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import DamagedDownloadError, UnreachableHubError
from gemma_tui.hub.cache import RepoFolder, check_repo, check_revision
from gemma_tui.hub.digest import is_right
from gemma_tui.hub.disk_faults import check_space, disk_faults
from gemma_tui.hub.download_events import (
    Downloaded,
    DownloadPlanned,
    DownloadProgress,
    DownloadWaiting,
)
from gemma_tui.hub.download_speed import Speed
from gemma_tui.hub.hub_client import HubClient
from gemma_tui.hub.hub_faults import TransientFault
from gemma_tui.hub.hub_token import hub_token
from gemma_tui.hub.model_config import check_config
from gemma_tui.hub.partial_file import PartialFile
from gemma_tui.hub.partial_file import done_bytes as partial_bytes
from gemma_tui.hub.publication import discard_parts, is_whole, publish, unseal, write_plan
from gemma_tui.hub.repo_lock import repo_lock
from gemma_tui.hub.transfer import Transfer, backoff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gemma_tui.hub.download_events import DownloadEvent, DownloadOrder, Phase
    from gemma_tui.hub.listing import RepoFile, RepoListing

_TICK_SECONDS: Final = 0.25
_LISTING_ATTEMPTS: Final = 3
"""Somebody waits who may simply be offline."""


async def download(order: DownloadOrder) -> AsyncGenerator[DownloadEvent, None]:
    """Bring a model and verify it; begins with `DownloadPlanned`, ends with `Downloaded`.

    Closing the generator early is a pause: what came is kept, and the same order goes on there.

    Args:
        order: Which model, from where, and to where.

    Raises:
        UsageError: That is no name of a repository, or no address of a hub.
        DownloadError: It cannot be fetched; the classes below it say why.
        DiskFullError: There is too little space; known before anything is fetched.
        StorageError: The cache cannot be written.
    """
    from huggingface_hub import constants  # noqa: PLC0415  # slow, and nothing else needs it

    folder = RepoFolder(order.cache, check_repo(order.repo))
    check_revision(order.revision)
    if constants.is_offline_mode():
        raise UnreachableHubError(
            "HF_HUB_OFFLINE is set, so nothing is downloaded.", "Unset it for a download."
        )
    async with HubClient(order.endpoint, hub_token(), order.patience, order.connections) as client:
        listing = None
        async with aclosing(_listing(client, order)) as answers:
            async for answer in answers:
                if isinstance(answer, DownloadWaiting):
                    yield answer
                else:
                    listing = answer
        assert listing is not None
        with ExitStack() as stack:
            with disk_faults(order.cache):
                stack.enter_context(repo_lock(folder))
            run = _Run(order, folder, listing, client)
            async with aclosing(run.events()) as events:
                async for event in events:
                    yield event


async def _listing(
    client: HubClient, order: DownloadOrder
) -> AsyncGenerator[DownloadWaiting | RepoListing, None]:
    """What the repository holds; before it, what is in the way."""
    failures = 0
    while True:
        try:
            yield await client.listing(order.repo, order.revision)
        except TransientFault as fault:
            failures += 1
            if failures >= min(_LISTING_ATTEMPTS, order.patience.attempts):
                raise fault.error from fault
            wait = fault.wait_seconds
            wait = backoff(order.patience, failures) if wait is None else wait
            yield DownloadWaiting(fault.error.message, wait)
            await asyncio.sleep(wait)
        else:
            return


class _Run:
    """One download, from the listing on; the lock of the repository is held."""

    def __init__(
        self, order: DownloadOrder, folder: RepoFolder, listing: RepoListing, client: HubClient
    ) -> None:
        self._order = order
        self._folder = folder
        self._listing = listing
        self._needed = listing.needed
        self._total = sum(file.size_bytes for file in self._needed)
        self._notices: list[DownloadWaiting] = []
        self._transfer = Transfer(client, listing, order, self._notices.append)
        self._speed = Speed()
        self._open: dict[str, PartialFile] = {}
        self._phase: Phase = "downloading"
        self._read_bytes = 0
        """Of files that were read again, to compare their digests."""
        self._file = ""
        self._is_stopped = False

    async def events(self) -> AsyncGenerator[DownloadEvent, None]:
        with disk_faults(self._order.cache):
            self._prepare()
        done = self._done_bytes()
        check_space(self._order.cache, self._total - done, self._order.repo)
        commit = self._listing.commit
        yield DownloadPlanned(self._order.repo, commit, len(self._needed), self._total, done)
        task = asyncio.create_task(self._work())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_TICK_SECONDS)
                while self._notices:
                    yield self._notices.pop(0)
                yield self._progress()
            place = await task
        finally:
            self._is_stopped = True
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            for partial in self._open.values():
                partial.close()
        fetched = self._transfer.fetched_bytes
        yield Downloaded(self._order.repo, commit, place, self._total, fetched)

    def _prepare(self) -> None:
        """Make the folders, and remove what belongs to no file of this download."""
        for folder in (self._folder.blobs, self._folder.snapshots):
            folder.mkdir(parents=True, exist_ok=True)
        write_plan(self._folder, self._listing)
        discard_parts(self._folder, {file.digest for file in self._needed})

    def _done_bytes(self) -> int:
        """What is whole, and what is there of the rest."""
        return sum(
            file.size_bytes
            if is_whole(self._folder, file)
            else partial_bytes(self._folder.partial(file.digest))
            for file in self._needed
        )

    def _progress(self) -> DownloadProgress:
        if self._phase == "verifying":
            done, file = min(self._read_bytes, self._total), self._file
        else:
            done, file = self._done_bytes(), self._transfer.file
        rate, left = self._speed.measured(self._phase, done, self._total)
        return DownloadProgress(self._phase, done, self._total, rate, left, file)

    async def _work(self) -> Path:
        small = tuple(file for file in self._needed if not file.is_weights)
        await self._bring(small)
        # What a model is, its small files say: not after gigabytes of weights.
        check_config(self._order.repo, self._folder, self._listing)
        await self._bring(self._needed[len(small) :])
        with disk_faults(self._order.cache):
            place = publish(self._folder, self._listing, self._order.revision)
            self._folder.plan.unlink(missing_ok=True)
            discard_parts(self._folder, set())
        return place

    async def _bring(self, files: tuple[RepoFile, ...]) -> None:
        """Fetch and verify some files; what turns out wrong is fetched once more."""
        await self._verify_blobs([file for file in files if is_whole(self._folder, file)])
        for _ in range(2):
            missing = [file for file in files if not is_whole(self._folder, file)]
            if not missing:
                return
            await self._fetch(missing)
            damaged = await self._publish_blobs(missing)
            if not damaged:
                return
        raise DamagedDownloadError(
            f"{damaged[0].name} of {self._order.repo} is not the file that the hub lists: its"
            " checksum is wrong, also after a second download.",
            "Something on the way or the disk changes it; check HF_ENDPOINT and the disk.",
        )

    async def _fetch(self, missing: list[RepoFile]) -> None:
        self._phase = "downloading"
        with disk_faults(self._order.cache):
            for file in missing:
                if file.name not in self._open:
                    path = self._folder.partial(file.digest)
                    self._open[file.name] = PartialFile(
                        path, file.size_bytes, self._order.stretch_bytes
                    )
        await self._transfer.run((file, self._open[file.name]) for file in missing)

    async def _verify_blobs(self, present: list[RepoFile]) -> None:
        """Read again what is there already; what is wrong is removed."""
        for file in present:
            path = self._folder.blobs / file.digest
            with disk_faults(self._order.cache):
                if not await self._is_right(path, file):
                    unseal(self._folder, self._listing.commit)
                    path.unlink()

    async def _publish_blobs(self, missing: list[RepoFile]) -> list[RepoFile]:
        """Move what is right to the blobs, and give up what is wrong; returns the latter."""
        damaged = []
        for file in missing:
            partial = self._open[file.name]
            with disk_faults(self._order.cache):
                if await self._is_right(partial.path, file):
                    await asyncio.to_thread(partial.sync)
                    partial.publish(self._folder.blobs / file.digest)
                    del self._open[file.name]
                    continue
                damaged.append(file)
                # What a crash of the machine took is found; else it came wrong, who knows where.
                lost = await asyncio.to_thread(partial.lost_stretches)
                partial.forget(lost or partial.stretches)
        return damaged

    async def _is_right(self, path: Path, file: RepoFile) -> bool:
        self._phase, self._file = "verifying", file.name

        def tell(count: int) -> None:
            if self._is_stopped:  # a thread cannot be cancelled
                raise OSError
            self._read_bytes += count

        return await asyncio.to_thread(is_right, path, file, tell)
