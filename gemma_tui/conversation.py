"""Values of a conversation: messages, their parts, attachments and drafts.

Pure values. How they are stored, shown, or turned into tokens is the business of other modules.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Role: TypeAlias = Literal["user", "model"]
"""Who wrote a message. The system prompt is a property of the conversation, not a message."""

MediaKind: TypeAlias = Literal["image", "audio"]
"""What the model sees and hears."""

AttachmentKind: TypeAlias = MediaKind | Literal["text"]
"""A text is a text file or a long paste: the model reads it inside the prompt."""

TitleOrigin: TypeAlias = Literal["question", "model", "user"]
"""What a conversation's title comes from: its first question, the model, or the user."""


class MessageState(StrEnum):
    """How far a message is."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    """The user stopped it; what was written is kept."""
    INTERRUPTED = "interrupted"
    """The program ended while it streamed; what was flushed is kept."""
    FAILED = "failed"
    """An error ended it; the sentence is in `Message.error`."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an attached file that stands for itself in the prompt: a medium, or some lines."""

    kind: AttachmentKind
    start: int
    """Sample at 16 kHz of a sound, millisecond of a video, page (from 0) of a document, character
    of a text."""
    length: int = 0
    """Samples at 16 kHz, or characters; 0 for a picture."""
    width: int = 0
    """Pixels of a page or frame; 0, like `height`: those of the attachment."""
    height: int = 0
    label: str = ""
    """Text in front of it in the prompt, such as `00:03`; of a text, which part is sent."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file the user added, identified by the sha256 of its bytes in the blob store."""

    sha256: str
    kind: AttachmentKind
    """Of what is seen of it, if anything is: a document of several pages is an `image`."""
    name: str
    """The file's own name as dropped, not sanitised: whoever shows it does that."""
    media_type: str
    """For example `image/png`, as found in the bytes, not taken from the name."""
    size_bytes: int
    width: int = 0
    """Pixels after the EXIF rotation, of the first page or frame; 0 for sound and text."""
    height: int = 0
    sample_count: int = 0
    """Samples at 16 kHz mono; 0 for a picture or a text."""
    token_budget: int = 0
    """The most soft tokens this picture, or each one of it (a page, a frame), may cost; 0 for sound
    and text, whose length decides."""
    segments: tuple[Segment, ...] = ()
    """What is sent of it, in order; empty: the whole file is one medium, or one text."""

    @property
    def media_kinds(self) -> frozenset[MediaKind]:
        """The senses that are needed for what is sent of it; a text needs none."""
        kinds = [segment.kind for segment in self.segments] or [self.kind]
        return frozenset(kind for kind in kinds if kind != "text")


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtPart:
    """What the model thought before its answer; never sent back once the user has spoken again."""

    text: str


@dataclass(frozen=True, slots=True)
class AttachmentPart:
    """An attachment inside a message."""

    attachment: Attachment


ToolPart: TypeAlias = ToolCall | MalformedToolCall | ToolResult
"""What the model wanted of a tool, and what it got."""

Part: TypeAlias = TextPart | ThoughtPart | AttachmentPart | ToolPart


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply cost."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens taken from the prompt cache instead of being computed."""
    generated_tokens: int = 0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    peak_memory_bytes: int = 0

    @property
    def tokens_per_second(self) -> float:
        """Decoding speed; 0 when nothing was decoded."""
        return self.generated_tokens / self.decode_seconds if self.decode_seconds > 0 else 0.0

    @property
    def context_tokens(self) -> int:
        """Tokens of the context in use after the reply."""
        return self.prompt_tokens + self.generated_tokens


@dataclass(frozen=True, slots=True)
class Message:
    """One contribution of one role; a node of the conversation's tree."""

    id: int
    conversation_id: int
    parent_id: int | None
    role: Role
    parts: tuple[Part, ...]
    state: MessageState
    created_at: float
    """Seconds since the epoch. Order never depends on it."""
    model: str = ""
    """Name of the model that wrote it; empty for the user's messages."""
    finish_reason: str = ""
    usage: Usage | None = None
    error: str = ""
    thinking: bool = False
    """Whether the model was asked to think before this reply."""
    token_ids: tuple[int, ...] = ()
    """Tokens of a reply that was cut off, as they were drawn: with them it can go on exactly."""

    @property
    def is_cut_off(self) -> bool:
        """Whether a reply ended before its own end, so that it can be continued."""
        if self.role != "model" or not (self.parts or self.token_ids):
            return False
        if any(isinstance(part, ToolPart) for part in self.parts):
            return False  # it goes on with the results of its calls, not with more of the same
        match self.state:
            case MessageState.STREAMING:
                return False
            case MessageState.COMPLETE:
                return self.finish_reason in ("length", "repetition")
            case _:
                return True

    @property
    def text(self) -> str:
        """The answer or question, without thoughts."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def thought(self) -> str:
        """What the model thought, if it did."""
        return "".join(part.text for part in self.parts if isinstance(part, ThoughtPart))

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The attachments, in order."""
        return tuple(p.attachment for p in self.parts if isinstance(p, AttachmentPart))


@dataclass(frozen=True, slots=True)
class Siblings:
    """Where a message stands among those that follow the same message."""

    message_id: int
    ids: tuple[int, ...]
    """All of them, itself too, in the order they were added."""
    leaf_ids: tuple[int, ...]
    """The newest message below each, or the sibling itself: where its branch ends."""

    @property
    def index(self) -> int:
        """Its place among them, from 0."""
        return self.ids.index(self.message_id)

    @property
    def previous_id(self) -> int | None:
        """The sibling before it."""
        return self.ids[self.index - 1] if self.index else None

    @property
    def next_id(self) -> int | None:
        """The sibling after it."""
        return self.ids[self.index + 1] if self.index + 1 < len(self.ids) else None


@dataclass(frozen=True, slots=True)
class Draft:
    """What the composer holds before it is sent."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing to send: no attachment, and no text but white space."""
        return not self.attachments and not self.text.strip()

    def followed_by(self, newer: Draft) -> Draft:
        """One draft of two, a line for each text."""
        text = "\n".join(part for part in (self.text, newer.text) if part)
        return Draft(text, (*self.attachments, *newer.attachments))

    def to_parts(self) -> tuple[Part, ...]:
        """Parts in the order Gemma 4 was trained on: pictures, text, sound; files before words."""
        text = [TextPart(self.text)] if self.text.strip() else []
        return (*self._of("image"), *self._of("text"), *text, *self._of("audio"))

    def _of(self, kind: AttachmentKind) -> tuple[AttachmentPart, ...]:
        return tuple(AttachmentPart(a) for a in self.attachments if a.kind == kind)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A tree of messages; `leaf_id` is the end of the branch that is shown."""

    id: int
    title: str
    created_at: float
    """Seconds since the epoch, like `updated_at`. Order never depends on them."""
    updated_at: float
    system_prompt: str = ""
    leaf_id: int | None = None
    deleted: bool = False
    title_origin: TitleOrigin = "question"
    is_pinned: bool = False
    is_archived: bool = False
    tags: tuple[str, ...] = ()
    """As `normalize_tags` gives them."""
    settings: str = ""
    """What is set for this conversation only: a JSON object, or empty for nothing."""


def context_tokens(branch: Sequence[Message]) -> int:
    """Tokens of the context in use after the last reply that says so; 0 if none does."""
    return next((m.usage.context_tokens for m in reversed(branch) if m.usage), 0)


def title_from(draft: Draft, limit: int = 60) -> str:
    """A title for a new conversation: the first line of its text, else its first file's name."""
    lines = draft.text.strip().splitlines()
    title = lines[0].strip() if lines else ""
    if not title and draft.attachments:
        title = draft.attachments[0].name
    return title if len(title) <= limit else title[: limit - 1].rstrip() + "…"


def normalize_tags(names: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept: white space tidied, no two that `tag_key` takes for one, in order.

    Of several spellings of one tag the first stays.
    """
    found: dict[str, str] = {}
    for name in names:
        tidy = " ".join(unicodedata.normalize("NFC", name).split())
        if key := tag_key(tidy):
            found.setdefault(key, tidy)
    return tuple(found[key] for key in sorted(found))


def tag_key(name: str) -> str:
    """What is the same for all spellings of a tag: `Work`, `work` and `ＷＯＲＫ` are one."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())
