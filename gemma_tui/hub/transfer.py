"""Brings what is missing of several files, over several connections, whatever happens to those."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from gemma_tui.hub.disk_faults import disk_faults
from gemma_tui.hub.download_events import DownloadWaiting
from gemma_tui.hub.hub_faults import TransientFault, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gemma_tui.hub.download_events import DownloadOrder, Patience
    from gemma_tui.hub.hub_client import HubClient
    from gemma_tui.hub.listing import RepoFile, RepoListing
    from gemma_tui.hub.partial_file import PartialFile, Stretch

_LITTLE: Final = 1024
"""Bytes: fewer than these in `stall_seconds` are a connection that is as good as dead."""

_SOME: Final = 64 * 1024
"""Bytes after which a broken connection is made again at once."""


class Transfer:
    """The connections of one download.

    Args:
        client: Asks the hub.
        listing: The repository.
        order: How many connections, and with how much patience.
        tell: Told what is in the way.
    """

    def __init__(
        self,
        client: HubClient,
        listing: RepoListing,
        order: DownloadOrder,
        tell: Callable[[DownloadWaiting], None],
    ) -> None:
        self._client = client
        self._listing = listing
        self._order = order
        self._tell = tell
        self._waiting: deque[tuple[RepoFile, PartialFile, Stretch]] = deque()
        self.fetched_bytes = 0
        self.file = ""
        """One that is coming."""

    async def run(self, files: Iterable[tuple[RepoFile, PartialFile]]) -> None:
        """Bring every byte of `files` that is not there.

        Raises:
            DownloadError: The hub refuses, or cannot be reached for longer than patience lasts.
            DiskFullError: There is no space left.
            StorageError: The files cannot be written.
        """
        self._waiting = deque(
            (file, partial, stretch)
            for file, partial in files
            for stretch in partial.stretches
            if not stretch.is_done
        )
        count = min(self._order.connections, len(self._waiting))
        tasks = [asyncio.create_task(self._work()) for _ in range(count)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            file, partial, stretch = self._waiting.popleft()
            self.file = file.name
            failures = 0
            while not stretch.is_done:
                before = stretch.done
                try:
                    await self._read(file, partial, stretch)
                except TransientFault as fault:
                    failures = 1 if stretch.done > before else failures + 1
                    await self._wait(fault, failures, came=stretch.done - before)

    async def _read(self, file: RepoFile, partial: PartialFile, stretch: Stretch) -> None:
        """Read on until the stretch is done.

        Raises:
            TransientFault: It ended before, or brings next to nothing.
        """
        patience, since, came = self._order.patience, time.monotonic(), 0
        async for data in self._client.stretch(self._listing, file, stretch.position, stretch.end):
            with disk_faults(self._order.cache):
                partial.write(stretch, data)
            self.fetched_bytes += len(data)
            came += len(data)
            now = time.monotonic()
            if now - since >= patience.stall_seconds:
                if came < _LITTLE:
                    raise unreachable(self._client.host, "it brings next to nothing")
                since, came = now, 0
        if not stretch.is_done:
            raise unreachable(self._client.host, "it broke off")

    async def _wait(self, fault: TransientFault, failures: int, came: int) -> None:
        patience = self._order.patience
        if failures >= patience.attempts:
            raise fault.error from fault
        wait = fault.wait_seconds
        if wait is None:
            wait = 0.0 if came >= _SOME else backoff(patience, failures)
        if wait:
            self._tell(DownloadWaiting(fault.error.message, wait))
        await asyncio.sleep(wait)


def backoff(patience: Patience, failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(patience.first_wait_seconds * 2.0 ** (failures - 1), patience.longest_wait_seconds)
