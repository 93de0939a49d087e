"""One remembered state of the decoder: what it has seen, and the keys and values it made of that.

Knows how to tell whether a prompt goes on where it ends; nothing of how many are kept, or where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.runtime.key_values import KeyValues
    from gemma_tui.runtime.prompt import MediaSpan, Prompt


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The state of the decoder after some tokens."""

    ids: tuple[int, ...]
    spans: tuple[MediaSpan, ...]
    turn_ends: tuple[int, ...]
    """Ends of the turns in `ids`."""
    state: KeyValues

    def reach(self, prompt: Prompt) -> int:
        """How many tokens of `prompt` need not be read again; 0 if it is another prompt.

        Its last token is always left: only reading it tells what comes next.
        """
        length = len(self.ids)
        if length > len(prompt.ids) or prompt.ids[length - 1] != self.ids[-1]:
            return 0
        if prompt.ids[:length] != self.ids or spans_before(length, prompt.spans) != self.spans:
            return 0
        return min(length, len(prompt.ids) - 1)

    def is_passed_by(self, other: Snapshot) -> bool:
        """Whether `other` goes on where this ends."""
        length = len(self.ids)
        if length >= len(other.ids) or other.ids[length - 1] != self.ids[-1]:
            return False
        return other.ids[:length] == self.ids and spans_before(length, other.spans) == self.spans


def spans_before(length: int, spans: Sequence[MediaSpan]) -> tuple[MediaSpan, ...]:
    """The media that begin within the first `length` tokens."""
    return tuple(span for span in spans if span.start < length)
