"""Generated token ids to deltas of thought and answer, while they arrive.

Gemma 4 writes `<|channel>thought\\n…\\n<channel|>answer`. The markers are recognised by id: text
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
        self._space = ""
        self._after_thought = False
        self._separator = ""
        self._token_count = 0

    def add(self, token_id: int) -> tuple[Delta, ...]:
        """What this token adds to the reply; often nothing or one delta."""
        self._token_count += 1
        deltas = self._take(self._detokenizer.add(token_id))
        if token_id == self._open_id:
            self._enter_channel()
        elif token_id == self._close_id and self._place is not _Place.ANSWER:
            self._leave_channel()
        return deltas

    def finish(self) -> tuple[Delta, ...]:
        """What is left when no token follows, be the reply complete or not."""
        return self._take(self._detokenizer.finish())
