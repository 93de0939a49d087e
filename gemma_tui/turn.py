"""The pieces of a turn: its events, the prompt made from a branch, and how a reply ends.

Values and functions; only texts that are attached are read from their files. What happens in which
order is decided in `chat`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.conversation import (
    AttachmentPart,
    MessageState,
    TextPart,
    ThoughtPart,
    ToolPart,
)
from gemma_tui.errors import EngineError
from gemma_tui.generation import (
    Finished,
    GenerationEvent,
    Media,
    PromptMessage,
    ReplySoFar,
)
from gemma_tui.preprocessing.frame_times import is_video
from gemma_tui.skipped_sounds import as_earlier, as_heard, last_question
from gemma_tui.storage.texts import quoted_text
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult
from gemma_tui.videos import to_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from gemma_tui.conversation import Attachment, Conversation, Draft, Message, Part, Usage
    from gemma_tui.generation import MediaProgress, PrefillProgress, PromptPart, TurnsLeftOut


def to_prompt(
    branch: Iterable[Message],
    path_of: Callable[[str], Path],
    draft: Draft | None = None,
    *,
    can_hear: bool = True,
) -> tuple[PromptMessage, ...]:
    """The messages as the engine gets them, without empty replies.

    Thoughts are left out, but those of a reply that calls tools: it may have to go on behind them.
    Reads the texts that are attached.

    Args:
        branch: From the root down; without a draft, the last one is the question.
        path_of: Where the bytes of a sha256 are.
        draft: What is asked behind it, unless it is empty.
        can_hear: Whether the sound of videos is sent with their frames, and sounds of earlier
            questions as they are; else these are named in words.

    Raises:
        StorageError: The stored copy of a text is gone.
    """
    prompt_parts = partial(_prompt_parts, path_of=path_of, can_hear=can_hear)
    branch = tuple(branch)
    question = last_question(branch) if draft is None or draft.is_empty else None
    prompt = tuple(
        PromptMessage(
            message.role,
            tuple(
                prompt_parts(_said(message))
                if message is question
                else as_earlier(prompt_parts(as_heard(_said(message), can_hear=can_hear)))
            ),
        )
        for message in branch
        if message.role == "user" or message.text.strip() or _uses_tools(message)
    )
    if draft is None or draft.is_empty:
        return prompt
    return (*prompt, PromptMessage("user", tuple(prompt_parts(draft.to_parts()))))


def created_with(conversation: Conversation | None) -> str:
    """The system prompt that a conversation was created with."""
    return conversation.system_prompt if conversation else ""


def _said(message: Message) -> tuple[Part, ...]:
    """What a message says; a reply in one piece, as it was written around its thoughts."""
    if message.role == "user":
        return tuple(part for part in message.parts if not isinstance(part, ThoughtPart))
    if _uses_tools(message):
        return message.parts
    return (TextPart(message.text),)


def _uses_tools(message: Message) -> bool:
    return any(isinstance(part, ToolPart) for part in message.parts)


def to_reply_so_far(reply: Message) -> ReplySoFar:
    """What a reply that goes on says already."""
    parts = tuple(part for part in reply.parts if isinstance(part, TextPart | ThoughtPart))
    return ReplySoFar(parts, reply.token_ids)


def left_out_sentence(event: TurnsLeftOut) -> str:
    """What to tell the user about a prompt that lacks turns."""
    turns = "The oldest turn was" if event.count == 1 else f"The {event.count} oldest turns were"
    return f"{turns} left out ({event.tokens:,} tokens): the context is full."


def media_label(progress: MediaProgress, attachments: Sequence[Attachment]) -> str:
    """How far the media of a prompt are: `reading page 5 of 60`.

    Args:
        progress: How many are done.
        attachments: Those of the question.
    """
    if progress.total <= 1:
        return "reading the file"
    word = "attachment"
    if any(item.segments for item in attachments if item.kind != "text"):
        word = "part"
    if len(attachments) == 1 and word == "part" and not is_video(attachments[0]):
        word = "clip" if attachments[0].kind == "audio" else "page"
    return f"reading {word} {min(progress.done + 1, progress.total)} of {progress.total}"


def reading_label(progress: PrefillProgress) -> str:
    """How far the prompt is read, with the time left where it is worth a word."""
    share = f"reading the prompt {100 * progress.done // max(1, progress.total)} %"
    left = progress.seconds_left
    return share if left is None or left < 2 else f"{share}, {left:.0f} s left"


def _prompt_parts(
    parts: Iterable[Part], path_of: Callable[[str], Path], *, can_hear: bool
) -> Iterator[PromptPart]:
    """The parts with texts as one, an empty line after each file: a prompt trims every part.

    The sound of a video comes last: sound stands behind the words, frames in front of them.
    """
    files: list[str] = []
    sounds: list[Media] = []
    for part in parts:
        match part:
            case AttachmentPart(attachment) if attachment.kind == "text":
                files.append(quoted_text(attachment, path_of))
            case TextPart(text) if files:
                yield TextPart("\n\n".join((*files, text)))
                files.clear()
            case TextPart() | ThoughtPart() | ToolCall() | ToolResult():
                yield part
            case AttachmentPart(attachment) if is_video(attachment):
                yield from _text_part(files)
                frames, clips = to_frames(_to_media(attachment, path_of))
                yield from frames
                sounds += clips if can_hear else ()
            case AttachmentPart(attachment):
                yield from _text_part(files)
                yield from _to_media(attachment, path_of)
            case MalformedToolCall():
                pass
    yield from _text_part(files)
    yield from sounds


def _text_part(files: list[str]) -> Iterator[TextPart]:
    """Files that no text follows."""
    if files:
        yield TextPart("\n\n".join(files))
        files.clear()


def _to_media(attachment: Attachment, path_of: Callable[[str], Path]) -> Iterator[TextPart | Media]:
    """The whole file, or its segments, each behind its label."""
    whole = Media(
        kind="image" if attachment.kind == "image" else "audio",
        sha256=attachment.sha256,
        path=str(path_of(attachment.sha256)),
        name=attachment.name,
        token_budget=attachment.token_budget,
        width=attachment.width,
        height=attachment.height,
        sample_count=attachment.sample_count,
    )
    if not attachment.segments:
        yield whole
    for segment in attachment.segments:
        if segment.kind == "text":
            continue  # no medium
        if segment.label:
            yield TextPart(segment.label)
        yield replace(
            whole,
            kind=segment.kind,
            token_budget=attachment.token_budget if segment.kind == "image" else 0,
            width=segment.width or attachment.width,
            height=segment.height or attachment.height,
            sample_count=segment.length,
            start=segment.start,
            length=segment.length,
        )


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The question and the row of its reply are stored; nothing is computed yet."""

    question: Message | None
    """None when an earlier question is answered again."""
    reply: Message


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The reply as it is stored now; nothing follows."""

    reply: Message


TurnEvent: TypeAlias = TurnStarted | GenerationEvent | TurnFinished


@dataclass(frozen=True, slots=True)
class End:
    """How a reply ended."""

    state: MessageState
    reason: str
    """A `FinishReason`, or empty where none was stored."""
    usage: Usage | None = None
    error: str = ""


CANCELLED: Final = End(MessageState.CANCELLED, "cancelled")


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn whose reply streams in its row."""

    question: Message | None
    reply: Message
    before: End | None = None
    """How the reply had ended, if it goes on."""


def begun_again(before: Message) -> Begun:
    """A reply that goes on.

    Args:
        before: As it was when it was cut off.
    """
    reply = replace(before, state=MessageState.STREAMING, finish_reason="", error="")
    return Begun(None, reply, End(before.state, before.finish_reason, error=before.error))


def failed(error: str) -> End:
    """A reply that an error ended; `error` is its sentence."""
    return End(MessageState.FAILED, "error", error=error)


def with_end(reply: Message, end: End) -> Message:
    """The reply with the values of its end; what it cost before it was continued counts, too."""
    usage = _joined(reply.usage, end.usage)
    return replace(reply, state=end.state, finish_reason=end.reason, usage=usage, error=end.error)


def _joined(before: Usage | None, after: Usage | None) -> Usage | None:
    """The cost of a reply written in two goes; the prompt is that of the first."""
    if before is None or after is None:
        return after or before
    return replace(
        before,
        generated_tokens=before.generated_tokens + after.generated_tokens,
        prefill_seconds=before.prefill_seconds + after.prefill_seconds,
        decode_seconds=before.decode_seconds + after.decode_seconds,
        peak_memory_bytes=max(before.peak_memory_bytes, after.peak_memory_bytes),
    )


def end_of(finished: Finished | None) -> End:
    """How a reply ended, by the engine's last event.

    Raises:
        EngineError: It ended without saying how, or with an error it did not explain.
    """
    match finished:
        case Finished("stop" | "length" | "repetition" as reason, usage):
            return End(MessageState.COMPLETE, reason, usage)
        case Finished("cancelled", usage):
            return End(MessageState.CANCELLED, "cancelled", usage)
        case _:
            raise EngineError("The engine broke off the reply.", "Answer again.")
