"""Sounds of earlier questions, under a model that cannot hear: skipped, and named in words.

The answers to them are in the conversation, so it can go on; what is asked about now is never
skipped without a word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.conversation import AttachmentPart, TextPart
from gemma_tui.generation import Media

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gemma_tui.conversation import Message, Part
    from gemma_tui.generation import PromptPart


def last_question(branch: Sequence[Message]) -> Message | None:
    """The message that is answered, where nothing new is asked."""
    return next((message for message in reversed(branch) if message.role == "user"), None)


def as_heard(parts: Iterable[Part], *, can_hear: bool) -> Iterator[Part]:
    """The parts of an earlier message as a model can take them."""
    for part in parts:
        if isinstance(part, AttachmentPart) and part.attachment.kind == "audio" and not can_hear:
            yield TextPart(
                f"[A sound was attached here that you cannot hear: {part.attachment.name}]"
            )
        else:
            yield part


def as_earlier(parts: Iterable[PromptPart]) -> Iterator[PromptPart]:
    """The same in a prompt: sounds may be left out, should the model turn out not to hear."""
    for part in parts:
        if isinstance(part, Media) and part.kind == "audio":
            yield replace(part, is_optional=True)
        else:
            yield part
