r"""Generated token ids to deltas of thought and answer, while they arrive.

Gemma 4 writes `<|channel>thought\n…\n<channel|>answer`. The markers are recognised by id: text
that merely looks like one stays text. Knows nothing of turns, stop ids or how tokens are drawn.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.generation import TextDelta, ThoughtDelta
from gemma_tui.runtime.detokenizer import Detokenizer
from gemma_tui.runtime.tokenizer import Control

if TYPE_CHECKING:
    from gemma_tui.runtime.tokenizer import Tokenizer

Delta: TypeAlias = ThoughtDelta | TextDelta

_CHANNEL_NAME: Final = "thought\n"
"""What opens a thought after `<|channel>`, as the canonical chat templates write it."""

_BETWEEN_THOUGHTS: Final = "\n\n"


class _Place(Enum):
    ANSWER = auto()
    NAME = auto()
    """Behind `<|channel>`, where the channel's name is still being spelled."""
    THOUGHT = auto()


class ReplyParser:
    """One reply, token by token.

    White space around a thought, and between it and the answer, is dropped. A reply without
    thoughts passes through unchanged.

    Args:
        tokenizer: The vocabulary of the ids.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._detokenizer = Detokenizer(tokenizer)
        self._open_id = tokenizer.id_of(Control.CHANNEL_START)
        self._close_id = tokenizer.id_of(Control.CHANNEL_END)
        self._place = _Place.ANSWER
        self._name = ""
        """As much of the channel's name as has arrived."""
        self._space = ""
        """White space inside a thought that is shown only if more of the thought follows."""
        self._thought_begun = False
        self._separator = ""
        self._trim_answer = False
        self._answer_begun = False
        self._token_count = 0
        self._thought_tokens = 0

    @property
    def is_thinking(self) -> bool:
        """Whether a thought is open."""
        return self._place is not _Place.ANSWER

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
        if token_id == self._open_id:
            self._place, self._name = _Place.NAME, ""
            self._space, self._thought_begun = "", False
        elif token_id == self._close_id and self._place is not _Place.ANSWER:
            self._place = _Place.ANSWER
            self._trim_answer = not self._answer_begun
        return deltas

    def finish(self) -> tuple[Delta, ...]:
        """What is left when no token follows, be the reply complete or not."""
        return self._take(self._detokenizer.finish())

    def _take(self, text: str) -> tuple[Delta, ...]:
        match self._place:
            case _Place.ANSWER:
                return self._answer(text)
            case _Place.NAME:
                return self._spell_name(text)
            case _Place.THOUGHT:
                return self._think(text)

    def _answer(self, text: str) -> tuple[Delta, ...]:
        if self._trim_answer:
            text = text.lstrip()
        if not text:
            return ()
        self._trim_answer, self._answer_begun = False, True
        return (TextDelta(text, self._token_count),)

    def _spell_name(self, text: str) -> tuple[Delta, ...]:
        self._name += text
        if self._name != _CHANNEL_NAME and _CHANNEL_NAME.startswith(self._name):
            return ()
        # A channel of another name is shown as it is: better an odd word than a lost one.
        self._place = _Place.THOUGHT
        return self._think(self._name.removeprefix(_CHANNEL_NAME))

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
