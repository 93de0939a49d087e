"""A conversation's messages, cut into the steps that the canonical chat templates render singly.

A step is a thought, then tool calls, then their results, and at last content; a turn of the model
that uses tools has several. What the templates strip is stripped here. Knows nothing of ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from gemma_tui.conversation import TextPart, ThoughtPart
from gemma_tui.generation import Media
from gemma_tui.runtime.tokenizer import Control
from gemma_tui.tool_call import ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gemma_tui.conversation import Role
    from gemma_tui.generation import PromptMessage, PromptPart

Content: TypeAlias = str | Media
"""Text without white space around it, or a picture or sound."""


class _Rank(IntEnum):
    """Where a part stands in its step."""

    THOUGHT = 0
    CALL = 1
    RESULT = 2
    CONTENT = 3


@dataclass(frozen=True, slots=True)
class Step:
    """What the templates take as one message."""

    role: Role
    thought: str = ""
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult | Media, ...] = ()
    """Each followed by the media it came with."""
    content: tuple[Content, ...] = ()

    @property
    def awaits_results(self) -> bool:
        """Whether it calls tools whose results are not there."""
        return bool(self.calls) and not self.results

    @property
    def has_content(self) -> bool:
        """Whether any of its content is more than white space."""
        return any(self.content)


def steps_of(messages: Sequence[PromptMessage]) -> tuple[Step, ...]:
    """Every step of the conversation.

    Thoughts are left out up to the last message of the user.
    """
    questions = (place for place, message in enumerate(messages) if message.role == "user")
    last_question = max(questions, default=-1)
    return tuple(
        step
        for place, message in enumerate(messages)
        for step in _steps(message, has_thoughts=place > last_question)
    )


def _steps(message: PromptMessage, *, has_thoughts: bool) -> Iterator[Step]:
    if message.role == "user":
        yield _step("user", message.parts)
        return
    begun: list[PromptPart] = []
    latest = _Rank.THOUGHT
    for part in message.parts:
        if isinstance(part, ThoughtPart) and not (has_thoughts and part.text):
            continue
        rank = _rank(part, latest)
        if begun and (rank < latest or rank is _Rank.THOUGHT):
            yield _step("model", begun)
            begun = []
        begun.append(part)
        latest = rank
    yield _step("model", begun)


def _rank(part: PromptPart, before: _Rank) -> _Rank:
    match part:
        case ThoughtPart():
            return _Rank.THOUGHT
        case ToolCall():
            return _Rank.CALL
        case ToolResult():
            return _Rank.RESULT
        case Media() if before is _Rank.RESULT:
            return _Rank.RESULT
        case Media() | TextPart():
            return _Rank.CONTENT


def _step(role: Role, parts: Sequence[PromptPart]) -> Step:
    thought = ""
    calls: list[ToolCall] = []
    results: list[ToolResult | Media] = []
    content: list[Content] = []
    for part in parts:
        match part:
            case ThoughtPart(text):
                thought = text
            case ToolCall():
                calls.append(part)
            case ToolResult():
                results.append(part)
            case Media():
                (results if results and not content else content).append(part)
            case TextPart(text):
                content.append((_without_thoughts(text) if role == "model" else text).strip())
    return Step(role, thought, tuple(calls), tuple(results), tuple(content))


def _without_thoughts(text: str) -> str:
    """What the templates' `strip_thinking` leaves of an earlier reply that spells its markers."""
    parts = text.split(Control.CHANNEL_END)
    return "".join(part.split(Control.CHANNEL_START)[0] for part in parts)
