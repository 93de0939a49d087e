"""How often streamed text is drawn: as often as can be seen, as seldom as it is expensive."""

from __future__ import annotations

from typing import Final

SHORTEST: Final = 0.025
"""At most 40 flushes a second: more cannot be seen. An engine sends 30 batches a second; one that
comes a little early is not put off, for it would be painted alone, behind all else that changed."""
COST_FACTOR: Final = 5
"""Between two flushes is this many times the cost of one, so it takes a fifth of the time at
most…"""
LONGEST: Final = 0.25
"""…unless the text would seem to stand still."""


class Pace:
    """Decides when the next flush is due. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._cost = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next flush may begin; 0 or less means now."""
        return self._last + min(max(SHORTEST, COST_FACTOR * self._cost), LONGEST) - now

    def flushed(self, begin: float, end: float) -> None:
        """A flush has taken place."""
        self._last = begin
        self._cost = end - begin
