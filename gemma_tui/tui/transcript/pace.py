"""How often streamed text is drawn: as often as can be seen, as seldom as it is expensive."""

from __future__ import annotations

from typing import Final

SHORTEST: Final = 0.033
"""At most about 30 flushes a second: more cannot be seen."""
COST_FACTOR: Final = 4
"""A flush waits this many times the cost of the last one, so drawing takes a quarter at most…"""
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
        self._last = end
        self._cost = end - begin
