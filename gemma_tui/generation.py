"""The contract between a conversation and whatever answers it: requests and events, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gemma_tui.conversation import (
    AttachmentKind,
    MediaKind,
    Role,
    Segment,
    TextPart,
    ThoughtPart,
    Usage,
)
from gemma_tui.options import GEMMA_SAMPLING, GenerationOptions, SamplingOptions
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolDeclaration, ToolResult

FinishReason: TypeAlias = Literal["stop", "length", "repetition", "cancelled", "error"]
"""`repetition`: the reply said the same over and over, so it was ended."""


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a sound in a prompt; the engine reads the bytes from `path`."""

    kind: MediaKind
    sha256: str
    path: str
    name: str
    """For error messages only."""
    token_budget: int = 0
    """Soft-token budget of a picture; 0 for sound."""
    width: int = 0
    """Pixels after the EXIF rotation, like `height`; with them it can be counted unopened."""
    height: int = 0
    sample_count: int = 0
    """Samples at 16 kHz mono, for the same purpose; 0 for a picture."""
    start: int = 0
    """Where it begins in the file, if it is a segment of it (see `Segment.start`)."""
    length: int = 0
    """Samples of a segment of a sound; 0: the sound is the whole file."""
    stamp: str = ""
    """What stands right in front of a frame of a video, such as `00:03 `; else empty."""
    is_optional: bool = False
    """Left out where the model lacks the sense for it, as the sound of a video is."""


MediaKey: TypeAlias = tuple[MediaKind, str, int, int, int]
"""Kind, sha256, token budget, start and length: what decides the features of a medium."""


def media_key(media: Media) -> MediaKey:
    """What tells a medium from every other one, whatever its file is called."""
    return (media.kind, media.sha256, media.token_budget, media.start, media.length)


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
class ReplySoFar:
    """A reply that was cut off and is to go on."""

    parts: tuple[TextPart | ThoughtPart, ...]
    token_ids: tuple[int, ...] = ()
    """Ids of its tokens as they were drawn. Without them, or if they do not spell `parts` in the
    loaded model's vocabulary, the parts are tokenised, which may give other ids."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A whole conversation up to the turn that is wanted next."""

    messages: tuple[PromptMessage, ...]
    system_prompt: str = ""
    options: GenerationOptions = field(default_factory=GenerationOptions)
    tools: tuple[ToolDeclaration, ...] = ()
    """What the model may call. Running it, and asking again with the result, is the caller's."""
    reply: ReplySoFar | None = None
    """What the wanted turn says already; the reply goes on behind it."""
    is_aside: bool = False
    """Nobody waits for it, and no later prompt repeats it: it is written when there is nothing else
    to do, in short steps, and takes no place in the prompt cache."""

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
    sampling: SamplingOptions = GEMMA_SAMPLING
    """How the model is to be sampled where the user says nothing."""
    limitations: tuple[str, ...] = ()
    """What this copy of the model cannot do and its size could; one sentence each."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """What a model would need in memory for a context and a budget, against what is free."""

    weight_bytes: int
    cache_bytes: int
    """Keys and values of a full context: those in use, and those the prompt cache remembers."""
    working_bytes: int
    """The most that one step needs beside that: a chunk of prefill, or the vision tower."""
    overhead_bytes: int
    """What the process keeps for itself."""
    free_bytes: int
    context_length: int
    """What the figures are for."""
    token_budget: int
    """The same for the largest picture; 0 for a model that cannot see."""
    fitting_context: int
    """The largest setting that fits, up to the one asked for; 0: nothing does."""
    fitting_budget: int

    @property
    def total_bytes(self) -> int:
        """Everything together."""
        return self.weight_bytes + self.cache_bytes + self.working_bytes + self.overhead_bytes

    @property
    def fits(self) -> bool:
        """Whether what was asked for fits."""
        return self.total_bytes <= self.free_bytes


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
    suggested_budget: int = 0
    """The token budget that a picture deserves by what is in it; 0 for sound and text."""
    suggestion: str = ""
    """Why, in two or three words."""
    segments: tuple[Segment, ...] = ()
    """What is sent of it, if that is not the whole file as one medium. A sound of more than 30 s
    has none yet: its `sample_count` is what the file says, and `SoundClip`s are found as needed."""


@dataclass(frozen=True, slots=True)
class MediaPreview:
    """A picture or a sound in small, to be drawn with characters."""

    width: int
    """Pixels across, or the number of `levels`."""
    height: int = 0
    """Pixels down; 0 for a sound."""
    rgb: str = ""
    """`width * height` pixels row by row, each red, green, blue as two hex digits."""
    levels: tuple[int, ...] = ()
    """Loudness of equal parts of a sound, 0 to 100, 100 being full scale."""


LoadPhase: TypeAlias = Literal["starting", "weights", "warming"]


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """The model is being loaded; `fraction` is 0 to 1 over the whole load."""

    phase: LoadPhase
    fraction: float


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
    seconds_left: float | None = None
    """By the speed of this prompt so far; None as long as nothing was measured."""


@dataclass(frozen=True, slots=True)
class TurnsLeftOut:
    """The context is full: the prompt lacks the oldest turns of the conversation."""

    count: int
    """Questions that were left out, with everything up to the next question."""
    tokens: int
    """Tokens they would have taken."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a continued reply says so far, exactly; what follows is added to it."""

    parts: tuple[TextPart | ThoughtPart, ...]
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ThoughtDelta:
    """More of the model's thought."""

    text: str
    token_ids: tuple[int, ...] = ()
    """The tokens drawn since the last delta, for a reply that may have to be continued."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer; `token_ids` as of `ThoughtDelta`."""

    text: str
    token_count: int = 0
    """Tokens generated so far, thoughts included."""
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply ended; nothing follows."""

    reason: FinishReason
    usage: Usage
    token_ids: tuple[int, ...] = ()
    """The tokens drawn since the last delta, without one that ended the reply by itself."""


ReplyProgress: TypeAlias = (
    MediaProgress
    | TurnsLeftOut
    | PrefillProgress
    | Resumed
    | ThoughtDelta
    | TextDelta
    | ToolCall
    | MalformedToolCall
)
GenerationEvent: TypeAlias = ReplyProgress | Finished
"""A reply that ends with tool calls waits for their results; its finish reason is `stop`."""


@dataclass(frozen=True, slots=True)
class PromptSize:
    """What a prompt takes of the context, exactly unless it says otherwise."""

    tokens: int
    """All of it: text, media, and the marks of the turns."""
    media_tokens: int
    """Soft tokens among them."""
    reserved_tokens: int
    """What must be left for the reply."""
    context_length: int
    is_estimate: bool = False
    """Whether nobody counted: a server tells what a prompt takes when it has answered."""

    @property
    def excess(self) -> int:
        """Tokens too many; 0 if it fits."""
        return max(0, self.tokens + self.reserved_tokens - self.context_length)
