"""Texts that end an answer, found while it arrives, whatever tokens they are made of.

Text in, text out. What could be the beginning of one is held back until it is clear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class StopStrings:
    """Watches the text of one answer.

    Args:
        texts: Which texts end it; none of them empty.
    """

    def __init__(self, texts: Collection[str]) -> None:
        self._texts = tuple(texts)
        self._held = ""
        self.is_found = False
        """Whether one of them has come; then nothing follows."""

    def add(self, text: str) -> str:
        """Take in more of the answer; returns what may be shown of it now."""
        if self.is_found:
            return ""
        whole = self._held + text
        places = [place for stop in self._texts if (place := whole.find(stop)) >= 0]
        if places:
            self.is_found, self._held = True, ""
            return whole[: min(places)]
        return self._show_all_but_a_beginning(whole)

    def resume(self, text: str) -> str:
        """Take in an answer that was shown already; returns what of it may stay.

        A stop string inside it ends nothing: it was not one when that was written.
        """
        return self._show_all_but_a_beginning(text)

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return held

    def _show_all_but_a_beginning(self, text: str) -> str:
        held = max((_overlap(text, stop) for stop in self._texts), default=0)
        shown = text[: len(text) - held]
        self._held = text[len(shown) :]
        return shown


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` are the beginning of `stop`."""
    most = min(len(text), len(stop) - 1)
    return next((n for n in range(most, 0, -1) if text.endswith(stop[:n])), 0)
