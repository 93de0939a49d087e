"""The pieces of a turn: the prompt made from a branch, and how a reply ends.

Values and pure functions. What happens in which order is decided in `chat`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import AttachmentPart, MessageState, TextPart, ThoughtPart
from gemma_tui.errors import EngineError
from gemma_tui.generation import Finished, Media, PromptMessage, TextDelta, ThoughtDelta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from gemma_tui.conversation import Message, Usage
    from gemma_tui.generation import FinishReason, GenerationEvent, PromptPart


def to_prompt(
    branch: Iterable[Message], path_of: Callable[[str], Path]
) -> tuple[PromptMessage, ...]:
    """The messages as the engine gets them: without thoughts and without empty replies.

    Args:
        branch: From the root down; the last one is the question.
        path_of: Where the bytes of a sha256 are.
    """
    return tuple(
        PromptMessage(message.role, tuple(_prompt_parts(message, path_of)))
        for message in branch
        if message.role == "user" or message.text.strip()
    )


def _prompt_parts(message: Message, path_of: Callable[[str], Path]) -> Iterator[PromptPart]:
    for part in message.parts:
        match part:
            case TextPart():
                yield part
            case AttachmentPart(attachment):
                yield Media(
                    kind=attachment.kind,
                    sha256=attachment.sha256,
                    path=str(path_of(attachment.sha256)),
                    name=attachment.name,
                    token_budget=attachment.token_budget,
                )
            case ThoughtPart():
                pass


@dataclass(frozen=True, slots=True)
class End:
    """How a reply ended."""

    state: MessageState
    reason: FinishReason
    usage: Usage | None = None
    error: str = ""


CANCELLED: Final = End(MessageState.CANCELLED, "cancelled")


def failed(error: str) -> End:
    """A reply that an error ended; `error` is its sentence."""
    return End(MessageState.FAILED, "error", error=error)


def with_end(reply: Message, end: End) -> Message:
    """The reply with the values of its end."""
    return replace(
        reply, state=end.state, finish_reason=end.reason, usage=end.usage, error=end.error
    )


def part_of(event: GenerationEvent) -> TextPart | ThoughtPart | None:
    """What an event adds to the reply, if it does."""
    match event:
        case TextDelta(text):
            return TextPart(text)
        case ThoughtDelta(text):
            return ThoughtPart(text)
        case _:
            return None


def end_of(finished: Finished | None) -> End:
    """How a reply ended, by the engine's last event.

    Raises:
        EngineError: It ended without saying how, or with an error it did not explain.
    """
    match finished:
        case Finished("stop" | "length" as reason, usage):
            return End(MessageState.COMPLETE, reason, usage)
        case Finished("cancelled", usage):
            return End(MessageState.CANCELLED, "cancelled", usage)
        case _:
            raise EngineError("The engine broke off the reply.", "Answer again.")
