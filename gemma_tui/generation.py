"""The contract between a conversation and whatever answers it: requests, events, and `Engine`.

Values only. The engine client, the runtime and scripted engines in tests all speak this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from gemma_tui.conversation import AttachmentKind, Role, TextPart, ThoughtPart, Usage
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolDeclaration, ToolResult

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

FinishReason: TypeAlias = Literal["stop", "length", "cancelled", "error"]


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How the next token is drawn. Defaults are those of Gemma 4's `generation_config.json`."""

    temperature: float = 1.0
    """0 means greedy."""
    top_k: int = 64
    """0 means all."""
    top_p: float = 0.95
    seed: int | None = None
    """None draws a new seed for every reply."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Everything about a reply that is not its prompt."""

    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    max_tokens: int = 4096
    thinking: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a sound in a prompt; the engine reads the bytes from `path`."""

    kind: AttachmentKind
    sha256: str
    path: str
    name: str
    """For error messages only."""
    token_budget: int = 0
    """Soft-token budget of a picture; 0 for sound."""


PromptPart: TypeAlias = TextPart | ThoughtPart | Media | ToolCall | ToolResult
"""Thoughts, calls and results are the model's; a user's message has none.

Media right behind a result are part of it. Thoughts reach the model only behind the last question,
where a turn goes on after its tools were run: those of earlier turns may be left in."""


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """A turn of the prompt, or one of several messages of the model that make a turn together."""

    role: Role
    parts: tuple[PromptPart, ...]


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A whole conversation up to the turn that is wanted next."""

    messages: tuple[PromptMessage, ...]
    system_prompt: str = ""
    options: GenerationOptions = field(default_factory=GenerationOptions)
    tools: tuple[ToolDeclaration, ...] = ()
    """What the model may call. Running it, and asking again with the result, is the caller's."""

    @property
    def media(self) -> tuple[Media, ...]:
        """Every picture and sound, in the order of the prompt."""
        return tuple(p for m in self.messages for p in m.parts if isinstance(p, Media))


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a loaded model is and can do."""

    name: str
    """Short name for people, for example `Gemma 4 E2B` or `built-in demo`."""
    folder: str
    can_see: bool
    can_hear: bool
    context_length: int
    """Most tokens of prompt and reply together."""
    default_token_budget: int
    """Soft tokens a picture may cost unless the user says otherwise."""
    weight_bytes: int
    is_demo: bool = False


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file really is, found by looking into it."""

    kind: AttachmentKind
    media_type: str
    width: int = 0
    """Pixels after the EXIF rotation; 0 for sound."""
    height: int = 0
    sample_count: int = 0
    """Samples at 16 kHz mono; 0 for a picture."""


LoadPhase: TypeAlias = Literal["starting", "weights", "warming"]


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """The model is being loaded."""

    phase: LoadPhase
    fraction: float
    """0 to 1 over the whole load."""


@dataclass(frozen=True, slots=True)
class MediaProgress:
    """Media of the prompt are being decoded and turned into features."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class PrefillProgress:
    """Prompt tokens processed; `cached` of them came from the prompt cache."""

    done: int
    total: int
    cached: int = 0


@dataclass(frozen=True, slots=True)
class ThoughtDelta:
    """More of the model's thought."""

    text: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer."""

    text: str
    token_count: int = 0
    """Tokens generated so far, thoughts included."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply ended; nothing follows."""

    reason: FinishReason
    usage: Usage


GenerationEvent: TypeAlias = (
    MediaProgress
    | PrefillProgress
    | ThoughtDelta
    | TextDelta
    | ToolCall
    | MalformedToolCall
    | Finished
)
"""A reply that ends with tool calls waits for their results; its finish reason is `stop`."""


EnginePhase: TypeAlias = Literal["stopped", "starting", "loading", "ready", "generating", "failed"]


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the engine is doing, for a status line."""

    phase: EnginePhase
    model: ModelInfo | None = None
    fraction: float = 0.0
    """Progress of `loading`, 0 to 1."""
    problem: str = ""
    """Why it is `failed`, or why it was restarted."""


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
        """Free the model's memory."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """Stream one reply, ending with `Finished`. Waits for a model that is still loading.

        Closing the generator early cancels the reply: the engine stops before the next token.

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

    async def status(self) -> EngineStatus:
        """A snapshot of the engine process."""

    async def close(self) -> None:
        """End the engine process."""
