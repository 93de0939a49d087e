"""The pieces of a turn: the prompt made from a branch, and how a reply ends.

Values and pure functions, but for `Turn`, which hands the text on to its row. What happens in
which order is decided in `chat`.
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
    from gemma_tui.storage.streaming import StreamingReply


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


class Turn:
    """What a running turn has come to so far.

    Args:
        question: What was asked; None if it is an earlier question.
        row: Where the reply goes.
    """

    def __init__(self, question: Message | None, row: StreamingReply) -> None:
        self.question = question
        self.row = row
        self._finished: Finished | None = None

    def take(self, event: GenerationEvent) -> None:
        """Keep what has to be stored."""
        match event:
            case TextDelta(text):
                self.row.add(TextPart(text))
            case ThoughtDelta(text):
                self.row.add(ThoughtPart(text))
            case Finished():
                self._finished = event
            case _:
                pass

    def end(self) -> End:
        """How the reply ended, after the engine's last event.

        Raises:
            EngineError: It ended without saying how, or with an error it did not explain.
        """
        match self._finished:
            case Finished("stop" | "length" as reason, usage):
                return End(MessageState.COMPLETE, reason, usage)
            case Finished("cancelled", usage):
                return End(MessageState.CANCELLED, "cancelled", usage)
            case _:
                raise EngineError("The engine broke off the reply.", "Answer again.")
