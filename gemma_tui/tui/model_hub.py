"""Where models come from, as the app sees it: the hub, the shared cache, the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from gemma_tui.engine.interface import ComputeDevice
    from gemma_tui.hub.download_events import DownloadEvent
    from gemma_tui.hub.verify import Verified, VerifyProgress
    from gemma_tui.tui.model_rows import ModelRow


class Hub(Protocol):
    """Where models come from."""

    @property
    def host(self) -> str:
        """Its name, for the question whether to ask it."""

    def download(self, repo: str, revision: str) -> AsyncGenerator[DownloadEvent, None]:
        """Bring a model and verify it, as `hub.download.download`."""

    async def discard(self, repo: str) -> int:
        """Remove what there is of a download that is not finished; returns the bytes freed."""


class ModelHub(Hub, Protocol):
    """Models that can be had, and those of them that are here. Everything but `download` blocks."""

    def find(self) -> tuple[ModelRow, ...]:
        """The catalogue, what was downloaded, and servers; without any network."""

    def judged(
        self, rows: Sequence[ModelRow], device: ComputeDevice | None, bandwidth: float
    ) -> tuple[ModelRow, ...]:
        """The same rows with what they mean for this machine: fit, speed, advice.

        Args:
            rows: As found.
            device: What models are computed on; None while nobody knows.
            bandwidth: Bytes a second that its memory moves; 0 if that was not measured.
        """

    def freed_bytes(self, row: ModelRow) -> int:
        """What removing a model would free."""

    def remove(self, row: ModelRow) -> int:
        """Remove a model, or what there is of it; returns the bytes freed."""

    def verify(self, row: ModelRow) -> Iterator[VerifyProgress | Verified]:
        """Compare every file with what the hub says of it."""
