"""An engine that says what a test tells it to say; it implements `interface.Engine`.

Each script is one reply: its steps run in order. `Hold` lets a test decide when the reply goes on.
When the scripts are used up, the last one is said again.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gemma_tui.conversation import TextPart, Usage
from gemma_tui.engine.bandwidth_request import Bandwidth
from gemma_tui.engine.interface import ComputeDevice, EngineState, EngineStatus
from gemma_tui.errors import GemmaError, LockedDocumentError, UnsupportedFormatError
from gemma_tui.generation import (
    Finished,
    GenerationEvent,
    GenerationRequest,
    MediaInfo,
    MediaPreview,
    MemoryEstimate,
    ModelInfo,
    PromptSize,
    TextDelta,
    ThoughtDelta,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from gemma_tui.engine.media_requests import Crop, FindClip, Unlock
    from gemma_tui.engine.protocol import Estimate
    from gemma_tui.sound_clip import SoundClip

MODEL = ModelInfo(
    name="scripted",
    folder="scripted",
    can_see=True,
    can_hear=True,
    context_length=8192,
    default_token_budget=280,
    weight_bytes=1,
    is_demo=True,
)

ESTIMATE = MemoryEstimate(
    weight_bytes=4 * 10**9,
    cache_bytes=10**9,
    working_bytes=10**9,
    overhead_bytes=10**9,
    free_bytes=8 * 10**9,
    context_length=8192,
    token_budget=1120,
    fitting_context=8192,
    fitting_budget=1120,
)

USAGE = Usage(prompt_tokens=12, generated_tokens=3, prefill_seconds=0.1, decode_seconds=0.3)

MEDIA_BY_SUFFIX = {
    ".png": MediaInfo("image", "image/png", 640, 480, 0, 560, "some text"),
    ".jpg": MediaInfo("image", "image/jpeg", width=640, height=480),
    ".md": MediaInfo("text", "text/plain"),
    ".wav": MediaInfo("audio", "audio/wav", sample_count=16_000),
}


@dataclass(slots=True)
class Hold:
    """A place in a script where the reply waits until the test calls `release`."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the reply has come this far."""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let the reply go on."""
        self.released.set()


Step: TypeAlias = str | GenerationEvent | Hold | GemmaError
"""A `str` is a `TextDelta`; an error is raised; a script without `Finished` gets one at its end."""


class ScriptedEngine:
    """Says its scripts, one for each request.

    Args:
        scripts: What to answer, in the order of the requests.
        model: The model it claims to have; `state` tells it.
        ready: False starts in phase `stopped` until `start`, `load`, or `set_state`.
    """

    def __init__(
        self, *scripts: Sequence[Step], model: ModelInfo = MODEL, ready: bool = True
    ) -> None:
        self.scripts: deque[Sequence[Step]] = deque(scripts or [["Hello", " there", "."]])
        self.requests: list[GenerationRequest] = []
        self.counted: list[GenerationRequest] = []
        self.probed: list[Path] = []
        self.cropped: list[Crop] = []
        self.media: dict[str, MediaInfo | GemmaError] = {}
        """What `probe` answers for a name, before it looks at the suffix."""
        self.locks: dict[tuple[str, str], MediaInfo] = {}
        """What is in a locked document, by its name and password."""
        self.unlocked: list[Unlock] = []
        self.clips: dict[int, SoundClip | GemmaError] = {}
        """What `find_clip` answers, by the sample where a clip begins."""
        self.estimates: dict[str, MemoryEstimate | GemmaError] = {}
        """What `estimate` answers, by the name of the folder."""
        self.device: ComputeDevice | None = None
        """What it computes on, as `status` says."""
        self.closed_early = 0
        """Replies whose generator was closed before its end."""
        self.is_closed = False
        self.hears_cancel = True
        """False is an engine in the middle of a long step, for as long as the test lasts."""
        self.model = model
        self._state = EngineState("ready", model) if ready else EngineState("stopped")
        self._listeners: list[Callable[[EngineState], None]] = []
        self._cancelled = asyncio.Event()

    @property
    def state(self) -> EngineState:
        return self._state

    def set_state(self, state: EngineState) -> None:
        """Change the state and tell every listener."""
        self._state = state
        for listener in tuple(self._listeners):
            listener(state)

    def watch(self, listener: Callable[[EngineState], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def start(self, folder: Path) -> None:
        self.set_state(EngineState("ready", replace(self.model, folder=str(folder))))

    async def load(self, folder: Path) -> ModelInfo:
        await self.start(folder)
        return self.model

    async def unload(self) -> None:
        self.set_state(EngineState("stopped"))

    async def suspend(self) -> bool:
        if self._state.phase != "ready":
            return False
        self.set_state(EngineState("unloaded"))
        return True

    def wake(self) -> None:
        if self._state.phase == "unloaded":
            self.set_state(EngineState("ready", self.model))

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        self.requests.append(request)
        script = self.scripts.popleft() if len(self.scripts) > 1 else self.scripts[0]
        self._cancelled.clear()
        self.wake()
        self.set_state(replace(self._state, phase="generating"))
        ended = False
        try:
            for step in script:
                event = await self._perform(step)
                if event is not None:
                    ended = isinstance(event, Finished)
                    yield event
                if ended:
                    return
            ended = True
            yield Finished("stop", USAGE)
        except GemmaError:
            ended = True
            raise
        finally:
            self.closed_early += not ended
            self.set_state(replace(self._state, phase="ready"))

    async def _perform(self, step: Step) -> GenerationEvent | None:
        await asyncio.sleep(0)
        if isinstance(step, Hold):
            step.reached.set()
            await self._released_or_cancelled(step)
        if self._cancelled.is_set():
            return Finished("cancelled", USAGE)
        match step:
            case str():
                return TextDelta(step)
            case Hold():
                return None
            case GemmaError():
                raise step
            case _:
                return step

    async def _released_or_cancelled(self, hold: Hold) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (hold.released, self._cancelled)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def cancel(self) -> None:
        if self.hears_cancel:
            self._cancelled.set()

    async def find_clip(self, request: FindClip) -> SoundClip:
        clip = self.clips[request.start]
        if isinstance(clip, GemmaError):
            raise clip
        return clip

    async def probe(self, path: Path, name: str) -> MediaInfo:
        self.probed.append(path)
        kind = ".md" if name.startswith("pasted text") else Path(name).suffix.lower()
        info = self.media.get(name) or MEDIA_BY_SUFFIX.get(kind)
        if isinstance(info, GemmaError):
            raise info
        if info is None:
            raise UnsupportedFormatError(f"“{name}” is not a picture or a sound.")
        return info

    async def crop(self, request: Crop) -> MediaInfo:
        """Some pixels of no meaning."""
        self.cropped.append(request)
        await asyncio.to_thread(Path(request.target).write_bytes, b"part " + str(request).encode())
        return MediaInfo("image", "image/png", width=100, height=50)

    async def unlock(self, request: Unlock) -> MediaInfo:
        """What `media` has for the name and the password, as in `("a.pdf", "secret")`."""
        self.unlocked.append(request)
        info = self.locks.get((request.name, request.password))
        if info is None:
            raise LockedDocumentError(
                f"That password does not open “{request.name}”.", "Try again."
            )
        await asyncio.to_thread(Path(request.target).write_bytes, b"%PDF-1.7 without a lock")
        return info

    async def preview(self, path: Path, name: str, *, is_large: bool = False) -> MediaPreview:
        """Four pixels, red above blue, sixteen of them if large; a wave for a sound."""
        info = await self.probe(path, name)
        if info.kind == "audio":
            return MediaPreview(4, levels=(0, 1, 25, 100))
        if is_large:
            return MediaPreview(4, 4, rgb="ff0000" * 8 + "0000ff" * 8)
        return MediaPreview(2, 2, rgb="ff0000ff0000" + "0000ff0000ff")

    async def count(self, request: GenerationRequest) -> PromptSize:
        """As many tokens as characters; media cost their budget."""
        self.counted.append(request)
        texts = [
            part.text for m in request.messages for part in m.parts if isinstance(part, TextPart)
        ]
        media = sum(item.token_budget for item in request.media)
        text = sum(map(len, texts))
        return PromptSize(text + media, media, 256, self.model.context_length)

    async def estimate(self, request: Estimate) -> MemoryEstimate:
        """What `estimates` has for the folder, else a model that fits."""
        found = self.estimates.get(Path(request.folder).name, ESTIMATE)
        if isinstance(found, GemmaError):
            raise found
        return found

    async def measure_bandwidth(self) -> Bandwidth:
        return Bandwidth(1e11, 0)

    async def status(self) -> EngineStatus:
        return EngineStatus(
            process_id=os.getpid(),
            model=self._state.model,
            is_generating=self._state.phase == "generating",
            active_memory_bytes=0,
            peak_memory_bytes=0,
            cached_tokens=0,
            device=self.device,
        )

    async def close(self) -> None:
        self.is_closed = True
        self.set_state(EngineState("stopped"))


def thinking(thought: str, answer: str) -> Sequence[Step]:
    """A script that thinks before it answers."""
    return [ThoughtDelta(thought), TextDelta(answer)]
