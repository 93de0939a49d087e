r"""Thoughts that a server leaves in the text of a reply: told apart while the text arrives.

Gemma 4 writes `<|channel>thought\n…<channel|>`, other models `<think>…</think>`. Servers that know
their model send thoughts in a field of their own; others send the marks as text. Only marks that
open the reply count: what stands further down was written about, not thought.
"""

from __future__ import annotations

from typing import Final

from gemma_tui.generation import TextDelta, ThoughtDelta

MARKS: Final = (("<|channel>thought\n", "<channel|>"), ("<think>", "</think>"))
"""What opens and what closes a thought."""


class ThoughtMarkup:
    """The text of one reply, piece by piece.

    White space around the thought is dropped, as the engine process does it.
    """

    def __init__(self) -> None:
        self._waiting = ""
        """What may still become a mark, or white space that nothing followed yet."""
        self._close = ""
        """What ends the thought, while there is one."""
        self._has_begun = False
        """Whether the answer has begun, so that no thought can follow."""
        self._follows_thought = False
        self._thought_begun = False

    def add(self, text: str) -> list[TextDelta | ThoughtDelta]:
        """What this piece adds to the reply."""
        if self._has_begun:
            return [TextDelta(text)] if text else []
        self._waiting += text
        return self._think() if self._close else self._open()

    def finish(self) -> list[TextDelta | ThoughtDelta]:
        """What is left when no text follows."""
        text, self._waiting = self._waiting, ""
        if self._has_begun or not text.strip():
            return []
        return [ThoughtDelta(text.rstrip())] if self._close else [TextDelta(text)]

    def _open(self) -> list[TextDelta | ThoughtDelta]:
        start = self._waiting.lstrip()
        for mark, close in MARKS:
            if start.startswith(mark):
                self._waiting, self._close = start.removeprefix(mark), close
                self._thought_begun = False
                return self._think()
        if any(mark.startswith(start) for mark, _ in MARKS):
            return []
        text = start if self._follows_thought else self._waiting
        self._waiting, self._has_begun = "", True
        return [TextDelta(text)] if text else []

    def _think(self) -> list[TextDelta | ThoughtDelta]:
        if not self._thought_begun:
            self._waiting = self._waiting.lstrip()
        thought, mark, rest = self._waiting.partition(self._close)
        if mark:
            self._waiting, self._close, self._follows_thought = rest, "", True
            found: list[TextDelta | ThoughtDelta] = []
            if thought.strip():
                found.append(ThoughtDelta(thought.rstrip()))
            return [*found, *self._open()]
        kept = _kept_back(thought, self._close)
        shown = thought[: len(thought) - kept].rstrip()
        self._waiting = thought[len(shown) :]
        self._thought_begun = self._thought_begun or bool(shown)
        return [ThoughtDelta(shown)] if shown else []


def _kept_back(text: str, mark: str) -> int:
    """How many characters at the end may be the beginning of a mark."""
    most = min(len(text), len(mark) - 1)
    return next((n for n in range(most, 0, -1) if mark.startswith(text[-n:])), 0)
