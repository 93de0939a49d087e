"""A hub that brings what a test says, when it says so; it implements `tui.model_hub.ModelHub`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gemma_tui.hub.download_events import Downloaded, DownloadPlanned, DownloadProgress
from gemma_tui.hub.verify import Verified, VerifyProgress
from gemma_tui.tui.model_rows import Fit, ModelPlace, ModelRow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence
    from pathlib import Path

    from gemma_tui.engine.interface import ComputeDevice
    from gemma_tui.errors import GemmaError
    from gemma_tui.hub.download_events import DownloadEvent

GB = 10**9
COMMIT = "c0ffee" * 6 + "c0ff"


def offered(name: str, kind: str, size: float, fit: Fit, **facts: object) -> ModelRow:
    """A model of the catalog that is not here."""
    repo = f"mlx-community/{name.lower().replace(' ', '-')}-{kind}"
    row = ModelRow(repo, name, ModelPlace.HUB, repo=repo, revision=COMMIT, kind=kind, fit=fit)
    row = replace(row, size_bytes=int(size * GB), senses="sees, hears, thinks")
    return replace(row, **facts)  # type: ignore[arg-type]


FITS = Fit("fits", "Fits with a context of 131,072 tokens; 11.4 GB are free.")
TIGHT = Fit("tight", "Tight: 11.4 GB are free, which is enough for a context of 8,192 tokens.")
NOT = Fit("no", "Does not fit: it needs 17.2 GB at least; 11.4 GB are free.")


@dataclass
class ScriptedHub:
    """A hub with a cache, both of which hold what a test puts there."""

    rows: list[ModelRow] = field(default_factory=list)
    host: str = "hub.example"
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Repository and revision of each download that was begun."""
    events: asyncio.Queue[DownloadEvent | GemmaError] = field(default_factory=asyncio.Queue)
    """What the download under way brings next."""
    closed: int = 0
    """Downloads that were left before their end."""
    judged_by: list[tuple[ComputeDevice | None, float]] = field(default_factory=list)
    """What was known of the machine when its models were judged."""
    discarded: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    damaged: tuple[str, ...] = ()
    """What a verification finds."""

    def find(self) -> tuple[ModelRow, ...]:
        return tuple(self.rows)

    def judged(
        self, rows: Sequence[ModelRow], device: ComputeDevice | None, bandwidth: float
    ) -> tuple[ModelRow, ...]:
        self.judged_by.append((device, bandwidth))
        return tuple(rows)

    def freed_bytes(self, row: ModelRow) -> int:
        return row.size_bytes - GB

    def remove(self, row: ModelRow) -> int:
        self.removed.append(row.repo)
        self.put(row.repo, place=ModelPlace.HUB, folder=None, real_folder="", trust="")
        return row.size_bytes - GB

    def verify(self, row: ModelRow) -> Iterator[VerifyProgress | Verified]:
        yield VerifyProgress(row.size_bytes // 2, row.size_bytes, "model.safetensors")
        self.put(row.repo, trust="unverified" if self.damaged else "verified")
        yield Verified(7, self.damaged)

    async def download(self, repo: str, revision: str) -> AsyncGenerator[DownloadEvent, None]:
        self.asked.append((repo, revision))
        is_ended = False
        try:
            while not is_ended:
                event = await self.events.get()
                if isinstance(event, Exception):
                    is_ended = True
                    raise event
                is_ended = isinstance(event, Downloaded)
                yield event
        finally:
            self.closed += not is_ended

    async def discard(self, repo: str) -> int:
        self.discarded.append(repo)
        return 0

    def put(self, repo: str, **facts: object) -> None:
        """Change what is found of a model."""
        self.rows = [
            replace(row, **facts) if row.repo == repo else row  # type: ignore[arg-type]
            for row in self.rows
        ]

    def plan(self, repo: str, total: float) -> None:
        """Let the download say what will come."""
        self.events.put_nowait(DownloadPlanned(repo, COMMIT, 7, int(total * GB), 0))

    def progress(self, done: float, total: float) -> None:
        """Let the download come as far as this, in GB."""
        event = DownloadProgress(
            "downloading", int(done * GB), int(total * GB), 50e6, 42.0, "model.safetensors"
        )
        self.events.put_nowait(event)

    def finish(self, repo: str, folder: Path) -> None:
        """Let the download come to its end; the model is found in `folder`."""
        place = str(folder.resolve())
        self.put(repo, place=ModelPlace.CACHE, folder=folder, real_folder=place, trust="verified")
        self.events.put_nowait(Downloaded(repo, COMMIT, folder, GB, GB))
