r"""Generated token ids to deltas of thought and answer and to tool calls, while they arrive.

Gemma 4 writes `<|channel>thought\n…\n<channel|>answer`, or `<|tool_call>call:…<tool_call|>` where
the answer would be. The markers are recognised by id: text that merely looks like one stays text.
Knows nothing of turns, stop ids or how tokens are drawn.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.generation import TextDelta, ThoughtDelta
from gemma_tui.runtime.detokenizer import Detokenizer
from gemma_tui.runtime.prompt import THOUGHT_NAME
from gemma_tui.runtime.tokenizer import Control
from gemma_tui.runtime.tool_call_parser import parse_tool_call
from gemma_tui.tool_call import MalformedToolCall, ToolCall

if TYPE_CHECKING:
    from gemma_tui.runtime.tokenizer import Tokenizer

Words: TypeAlias = ThoughtDelta | TextDelta
Delta: TypeAlias = Words | ToolCall | MalformedToolCall

_BETWEEN_THOUGHTS: Final = "\n\n"


class _Place(Enum):
    ANSWER = auto()
    NAME = auto()
    """Behind `<|channel>`, where the channel's name is still being spelled."""
    THOUGHT = auto()
    CALL = auto()


class ReplyParser:
    """One reply, token by token.

    White space around a thought, and between it and the answer, is dropped. A reply without
    thoughts passes through unchanged. A tool call is one event, once it is complete or broken off.

    Args:
        tokenizer: The vocabulary of the ids.
        in_thought: The prompt has opened a thought that the reply goes on with.
        has_tools: There is something to call. If not, a call is text: nothing of it may vanish.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, in_thought: bool = False, has_tools: bool = False
    ) -> None:
        self._detokenizer = Detokenizer(tokenizer)
        self._open_id = tokenizer.id_of(Control.CHANNEL_START)
        self._close_id = tokenizer.id_of(Control.CHANNEL_END)
        self._has_tools = has_tools
        self._call_id = tokenizer.id_of(Control.TOOL_CALL_START)
        self._call_ends = {
            self._call_id,
            tokenizer.id_of(Control.TOOL_CALL_END),
            tokenizer.id_of(Control.TOOL_RESPONSE_START),
        }
        self._quote_id = tokenizer.id_of(Control.QUOTE)
        self._place = _Place.THOUGHT if in_thought else _Place.ANSWER
        self._name = ""
        """As much of the channel's name as has arrived."""
        self._space = ""
        """White space inside a thought that is shown only if more of the thought follows."""
        self._thought_begun = False
        self._separator = ""
        self._trim_answer = False
        self._answer_begun = False
        self._call: list[list[str]] = []
        """The text of the tool call that is being written, cut at its quotes."""
        self._token_count = 0
        self._thought_tokens = 0

    @property
    def is_thinking(self) -> bool:
        """Whether a thought is open."""
        return self._place in (_Place.NAME, _Place.THOUGHT)

    @property
    def thought_tokens(self) -> int:
        """Tokens of all thoughts so far, without their markers and names."""
        return self._thought_tokens

    def add(self, token_id: int) -> tuple[Delta, ...]:
        """What this token adds to the reply; often one delta, or none."""
        self._token_count += 1
        if self._place is _Place.THOUGHT and token_id != self._close_id:
            self._thought_tokens += 1
        deltas = self._take(self._detokenizer.add(token_id))
        if self._place is _Place.CALL:
            if token_id == self._quote_id:
                self._call.append([])
            elif token_id in self._call_ends:
                deltas += self._end_call()
        elif token_id == self._open_id:
            self._place, self._name = _Place.NAME, ""
            self._space, self._thought_begun = "", False
        elif token_id == self._close_id and self._place is not _Place.ANSWER:
            self._place = _Place.ANSWER
            self._trim_answer = not self._answer_begun
        if token_id == self._call_id and self._has_tools:
            self._place, self._call = _Place.CALL, [[]]
        return deltas

    def finish(self) -> tuple[Delta, ...]:
        """What is left when no token follows, be the reply complete or not."""
        deltas = self._take(self._detokenizer.finish())
        return deltas + self._end_call() if self._place is _Place.CALL else deltas

    def _end_call(self) -> tuple[Delta, ...]:
        self._place = _Place.ANSWER
        self._trim_answer = not self._answer_begun
        return (parse_tool_call(["".join(texts) for texts in self._call]),)

    def _take(self, text: str) -> tuple[Delta, ...]:
        match self._place:
            case _Place.ANSWER:
                return self._answer(text)
            case _Place.NAME:
                return self._spell_name(text)
            case _Place.THOUGHT:
                return self._think(text)
            case _Place.CALL:
                self._call[-1].append(text)
                return ()

    def _answer(self, text: str) -> tuple[Delta, ...]:
        if self._trim_answer:
            text = text.lstrip()
        if not text:
            return ()
        self._trim_answer, self._answer_begun = False, True
        return (TextDelta(text, self._token_count),)

    def _spell_name(self, text: str) -> tuple[Delta, ...]:
        self._name += text
        if self._name != THOUGHT_NAME and THOUGHT_NAME.startswith(self._name):
            return ()
        # A channel of another name is shown as it is: better an odd word than a lost one.
        self._place = _Place.THOUGHT
        return self._think(self._name.removeprefix(THOUGHT_NAME))

    def _think(self, text: str) -> tuple[Delta, ...]:
        shown = text.rstrip()
        if not shown:
            self._space += text
            return ()
        before = self._space if self._thought_begun else self._separator
        self._space = text[len(shown) :]
        if not self._thought_begun:
            shown = shown.lstrip()
        self._thought_begun, self._separator = True, _BETWEEN_THOUGHTS
        return (ThoughtDelta(before + shown),)
