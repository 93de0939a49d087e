"""A model asked without any process around it, so that a test decides when there is a pause."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemma_tui.engine.protocol import Event, Generate, Load
from gemma_tui.generation import Finished
from gemma_tui.runtime.disk_cache import DiskCache
from gemma_tui.runtime.features import FeatureRequest, FeatureStore
from gemma_tui.runtime.inference import Inference
from gemma_tui.runtime.jobs import Job
from tests.engine.scenes import text_of, thought_of

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from gemma_tui.generation import GenerationRequest
    from gemma_tui.runtime.jobs import Work
    from gemma_tui.runtime.reply import Resident


def never() -> bool:
    """A pause that nobody interrupts."""
    return False


@dataclass
class Countdown:
    """A pause that ends with the n-th look at it."""

    left: int

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


class Talk:
    """One model and what it remembers.

    Args:
        folder: The model.
        pool: Where features are computed.
        cache: Keeps snapshots and soft tokens on disk, if given.
    """

    def __init__(self, folder: Path, pool: ThreadPoolExecutor, cache: Path | None = None) -> None:
        log = logging.getLogger("test")
        self.disk = DiskCache(cache, log, least_free=0) if cache else None
        self.inference = Inference(log, self.disk)
        self.features = FeatureStore(pool)
        self.perform(Load(str(folder)))

    @property
    def resident(self) -> Resident:
        """The loaded model."""
        resident = self.inference._resident
        assert resident is not None
        return resident

    def reply(
        self, request: GenerationRequest, *, cancel_at: int | None = None
    ) -> tuple[str, Finished]:
        """The text of a reply and its end; `cancel_at` cancels it with its n-th event."""
        events = self.perform(Generate(request), cancel_at=cancel_at)
        end = events[-1]
        assert isinstance(end, Finished)
        return text_of(events) + thought_of(events), end  # type: ignore[arg-type]

    def requests(self, request: GenerationRequest) -> tuple[FeatureRequest, ...]:
        """Features of the media of a prompt, as the worker asks for them."""
        return tuple(
            FeatureRequest(self.features, media, at_once=not self.inference.knows(media))
            for media in request.media
        )

    def pause(self, looks: int | None = None) -> None:
        """Nobody asks for a while: for so many looks, or until all is done."""
        self.inference.use_pause(never if looks is None else Countdown(looks))

    def forget(self) -> None:
        """Make the next reply a cold one, as far as there is nothing on disk."""
        self.inference.forget()

    def restart(self) -> None:
        """Remember only what is on disk, once that is written."""
        assert self.disk is not None
        self.disk.flush()
        self.forget()

    def perform(self, work: Work, *, cancel_at: int | None = None) -> list[Event]:
        """Do a job; returns its events."""
        features = self.requests(work.request) if isinstance(work, Generate) else ()
        events: list[Event] = []

        def emit(_: int, event: Event) -> None:
            events.append(event)
            if len(events) == cancel_at:
                job.cancel()

        job = Job(1, work, emit=emit, features=features)
        assert job.begin()
        self.inference.perform(job)
        self.inference.keep_reply()
        return events
