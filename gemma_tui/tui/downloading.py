"""Models on their way from the hub, whatever screen is shown: one at a time, others wait.

A pause, the end of the app or of the machine loses nothing: the next try goes on where this ended.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from gemma_tui.byte_size import format_size
from gemma_tui.errors import GemmaError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from textual.worker import Worker

    from gemma_tui.hub.download_events import DownloadEvent
    from gemma_tui.tui.model_hub import Hub

DownloadPhase: TypeAlias = Literal[
    "queued", "starting", "downloading", "verifying", "waiting", "paused", "failed"
]


@dataclass(frozen=True, slots=True)
class DownloadStatus:
    """How far a model is that is wanted."""

    repo: str
    """`owner/name`."""
    revision: str
    name: str
    """What people call it."""
    phase: DownloadPhase = "queued"
    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    problem: str = ""
    """Why it waits, or failed."""

    @property
    def is_under_way(self) -> bool:
        """Whether it goes on without anybody's help."""
        return self.phase not in {"paused", "failed"}

    @property
    def percent(self) -> str:
        """How much is there; a model is whole once it is verified, so never 100 before."""
        share = self.done_bytes / self.total_bytes if self.total_bytes else 0.0
        return f"{min(99, int(100 * share))} %"

    @property
    def label(self) -> str:
        """What it does, in few words."""
        match self.phase:
            case "downloading" | "verifying" | "paused":
                return f"{self.phase} {self.percent}"
            case "queued":
                return "comes next"
            case _:
                return self.phase

    @property
    def sentence(self) -> str:
        """All there is to say."""
        done = f"{format_size(self.done_bytes)} of {format_size(self.total_bytes)}"
        left = f", {time_left(self.seconds_left)}" if self.seconds_left is not None else ""
        speed = f"{format_size(int(self.bytes_per_second))} a second"
        sentences: dict[DownloadPhase, str] = {
            "queued": "It comes after the download that is under way.",
            "starting": "Asking the hub what belongs to it.",
            "downloading": f"Downloading: {done}, {speed}{left}.",
            "verifying": f"Verifying every byte: {done}.",
            "waiting": f"{self.problem} It is tried again by itself.",
            "paused": f"Paused at {done}. What is there is kept: D goes on.",
            "failed": self.problem,
        }
        return sentences[self.phase]


def time_left(seconds: float) -> str:
    """How long something still takes, for people."""
    if seconds < 90:
        return f"{seconds:.0f} s left"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min left"
    return f"{seconds / 3600:.1f} h left"


class DownloadsOwner(Protocol):
    """What downloads need from whoever shows them."""

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """Run a coroutine function as a worker; show the `GemmaError` it may raise."""

    def downloads_changed(self) -> None:
        """Something of them is another now."""

    def download_ended(self, status: DownloadStatus, folder: Path | None) -> None:
        """A model is there, in `folder`; or it failed, as `status` says."""


class Downloads:
    """Brings models one after the other.

    Args:
        hub: Where they come from.
        owner: Shows them.
    """

    def __init__(self, hub: Hub, owner: DownloadsOwner) -> None:
        self.hub = hub
        """Where they come from."""
        self._owner = owner
        self._wanted: dict[str, DownloadStatus] = {}
        self._fetching: asyncio.Task[None] | None = None
        self._fetched = ""
        self._worker: Worker[None] | None = None

    @property
    def all(self) -> Mapping[str, DownloadStatus]:
        """Those that are wanted and not there yet, by repository."""
        return self._wanted

    @property
    def label(self) -> str:
        """What goes on, for a status line; empty if nothing does."""
        going = [status for status in self._wanted.values() if status.is_under_way]
        now = next((status for status in going if status.repo == self._fetched), None)
        if now is None:
            return ""
        others = f" +{len(going) - 1}" if len(going) > 1 else ""
        return f"↓ {now.percent}{others}"

    def begin(self, repo: str, revision: str, name: str) -> None:
        """Bring a model, or go on with one; at once, or after those that are wanted already.

        Args:
            repo: `owner/name`.
            revision: A commit or a branch.
            name: What people call it.
        """
        known = self._wanted.get(repo)
        if known is not None and known.is_under_way:
            return
        status = known or DownloadStatus(repo, revision, name)
        self._wanted.pop(repo, None)
        self._show(replace(status, phase="queued", problem=""))
        if self._worker is None or self._worker.is_finished:
            self._worker = self._owner.perform(self._run)

    def pause(self, repo: str) -> None:
        """Stop for now; what came is kept."""
        status = self._wanted.get(repo)
        if status is None or not status.is_under_way:
            return
        self._show(replace(status, phase="paused"))
        if repo == self._fetched and self._fetching is not None:
            self._fetching.cancel()

    def cancel(self, repo: str) -> None:
        """Stop for good; what came is removed."""
        self.pause(repo)
        self._owner.perform(partial(self._discard, repo))

    async def _discard(self, repo: str) -> None:
        if repo == self._fetched and self._fetching is not None:
            await asyncio.wait({self._fetching})
        self._wanted.pop(repo, None)
        self._owner.downloads_changed()
        await self.hub.discard(repo)
        self._owner.downloads_changed()

    async def _run(self) -> None:
        while status := next((s for s in self._wanted.values() if s.phase == "queued"), None):
            self._fetched = status.repo
            self._fetching = fetching = asyncio.create_task(self._fetch(status))
            try:
                await asyncio.wait({fetching})
            finally:  # also when the app is left: the child process must not outlive it
                fetching.cancel()
                await asyncio.gather(fetching, return_exceptions=True)
                self._fetching, self._fetched = None, ""
            if not fetching.cancelled():
                fetching.result()
        self._owner.downloads_changed()

    async def _fetch(self, status: DownloadStatus) -> None:
        self._show(replace(status, phase="starting"))
        folder: Path | None = None
        try:
            async with aclosing(self.hub.download(status.repo, status.revision)) as events:
                async for event in events:
                    folder = self._take(status.repo, event) or folder
        except GemmaError as error:
            failed = replace(self._wanted[status.repo], phase="failed", problem=str(error))
            self._show(failed)
            self._owner.download_ended(failed, None)
            return
        if folder is not None:
            done = self._wanted.pop(status.repo)
            self._owner.downloads_changed()
            self._owner.download_ended(done, folder)

    def _take(self, repo: str, event: DownloadEvent) -> Path | None:
        """Show an event; returns where the model is, once it is there."""
        from gemma_tui.hub import download_events as events  # noqa: PLC0415  # few download

        now = self._wanted[repo]
        if now.phase == "paused" and not isinstance(event, events.Downloaded):
            return None
        match event:
            case events.DownloadPlanned(revision=revision, total_bytes=total, done_bytes=done):
                now = replace(now, revision=revision, total_bytes=total, done_bytes=done)
                self._show(replace(now, phase="downloading"))
            case events.DownloadProgress():
                self._show(
                    replace(
                        now,
                        phase=event.phase,
                        done_bytes=event.done_bytes,
                        total_bytes=event.total_bytes,
                        bytes_per_second=event.bytes_per_second,
                        seconds_left=event.seconds_left,
                        problem="",
                    )
                )
            case events.DownloadWaiting(reason=reason):
                self._show(replace(now, phase="waiting", problem=reason))
            case events.Downloaded(folder=folder):
                return folder
        return None

    def _show(self, status: DownloadStatus) -> None:
        self._wanted[status.repo] = status
        self._owner.downloads_changed()
