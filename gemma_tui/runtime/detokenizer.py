"""Token ids to text while they arrive.

Shows a character as soon as it is complete and never half of one. Knows nothing of turns or
thoughts: control tokens are simply silent.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gemma_tui.runtime.tokenizer import Tokenizer


class Detokenizer:
    """The text of one reply, token by token, at a constant cost per token.

    Equal to decoding all ids at once, except where a run of byte tokens is not UTF-8: only its
    broken bytes become U+FFFD here, and the characters around them survive.

    Args:
        tokenizer: The vocabulary of the ids.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token_id: int) -> str:
        """The text this token completes; empty while a character is still in parts."""
        piece = self._tokenizer.piece(token_id)
        if isinstance(piece, bytes):
            return self._bytes.decode(piece)
        return self.finish() + piece

    def finish(self) -> str:
        """What is left: U+FFFD for a character that never got complete, else nothing."""
        text = self._bytes.decode(b"", final=True)
        self._bytes.reset()
        return text
