"""`Engine`: whatever answers prompts, as all above it sees it, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from gemma_tui.engine.bandwidth_request import Bandwidth
    from gemma_tui.engine.media_requests import Crop, FindClip, Unlock
    from gemma_tui.engine.protocol import Estimate
    from gemma_tui.generation import (
        GenerationEvent,
        GenerationRequest,
        MediaInfo,
        MediaPreview,
        MemoryEstimate,
        ModelInfo,
        PromptSize,
    )
    from gemma_tui.sound_clip import SoundClip

EnginePhase: TypeAlias = Literal[
    "stopped", "starting", "loading", "ready", "generating", "unloaded", "failed"
]
"""What an engine does; `unloaded`: its model is not in memory until a reply is asked for."""


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the engine is doing, for a status line."""

    phase: EnginePhase
    model: ModelInfo | None = None
    fraction: float = 0.0
    """Progress of `loading`, 0 to 1."""
    problem: str = ""
    """Why it is `failed`, or why it was restarted."""
    server: str = ""
    """The server that is being asked, while it is `loading`; empty: the engine process loads."""


@dataclass(frozen=True, slots=True)
class ComputeDevice:
    """What models are computed on."""

    name: str
    has_gpu: bool
    free_bytes: int
    """What arrays may take, those of a loaded model included."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """A snapshot taken inside the engine process."""

    process_id: int
    model: ModelInfo | None
    is_generating: bool
    active_memory_bytes: int
    peak_memory_bytes: int
    cached_tokens: int
    """Tokens held by the prompt cache."""
    device: ComputeDevice | None = None
    """None until MLX has been imported."""
    connections: int = 0
    """Network connections that the process was allowed."""
    refused_connections: int = 0


class Engine(Protocol):
    """Something that answers prompts: the engine process, or a scripted one in tests."""

    @property
    def state(self) -> EngineState:
        """What it is doing now."""

    def watch(self, listener: Callable[[EngineState], None]) -> Callable[[], None]:
        """Call `listener` on every change of `state`; returns a function that ends that."""

    async def start(self, folder: Path) -> None:
        """Begin to start and to load `folder`; returns at once, `state` tells the progress."""

    async def load(self, folder: Path) -> ModelInfo:
        """Load a model, in place of the present one; returns when it is ready.

        Raises:
            ModelError: The folder cannot be loaded; the engine lives on without a model.
            EngineStoppedError: The engine process ended meanwhile.
        """

    async def unload(self) -> None:
        """Free the model's memory; another has to be loaded before anything is asked."""

    async def suspend(self) -> bool:
        """Free the model's memory until a reply is asked for, which has it loaded again.

        Returns:
            Whether that was done; not while it loads, writes, or has none.
        """

    def wake(self) -> None:
        """Begin to load again what `suspend` freed, because it will be needed; returns at once."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """Stream one reply, ending with `Finished`. Waits for a model that is still loading.

        Closing the generator early cancels the reply: the engine stops with the present token.

        Raises:
            GemmaError: Whatever kept the reply from being finished.
        """

    async def cancel(self) -> None:
        """Stop the running reply, if any: its stream ends with `Finished("cancelled", …)`."""

    async def probe(self, path: Path, name: str) -> MediaInfo:
        """Look into a file; answers also while a reply is being generated.

        Raises:
            AttachmentError: It cannot be attached; `name` is used in the sentence.
        """

    async def preview(self, path: Path, name: str, *, is_large: bool = False) -> MediaPreview:
        """A picture or a sound in small; answers also while a reply is being generated.

        Raises:
            AttachmentError: It cannot be read; `name` is used in the sentence.
        """

    async def crop(self, request: Crop) -> MediaInfo:
        """Write a part of a picture to a new file; answers also while a reply is generated.

        Raises:
            AttachmentError: It cannot be read; its name is used in the sentence.
        """

    async def unlock(self, request: Unlock) -> MediaInfo:
        """Write a copy of a document without its password; answers as `crop` does.

        Raises:
            LockedDocumentError: The password is wrong.
            AttachmentError: It cannot be read; its name is used in the sentence.
        """

    async def find_clip(self, request: FindClip) -> SoundClip:
        """The next clip of a long sound; answers also while a reply is being generated.

        Raises:
            AttachmentError: It ends before, is cut off, or cannot be read; its name is used.
        """

    async def count(self, request: GenerationRequest) -> PromptSize:
        """What the prompt of `request` would take; answers also while a reply is generated.

        Raises:
            ModelError: No model is loaded, so nobody knows.
        """

    async def estimate(self, request: Estimate) -> MemoryEstimate:
        """What a folder would need in memory; waits for a reply that is being generated.

        Raises:
            ModelError: The folder cannot be loaded, whatever memory there is.
        """

    async def status(self) -> EngineStatus:
        """A snapshot of the engine process."""

    async def measure_bandwidth(self) -> Bandwidth:
        """How fast memory is, in some tenths of a second; waits for a reply that is generated."""

    async def close(self) -> None:
        """End the engine process."""
