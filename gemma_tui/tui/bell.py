"""The terminal's bell, for a long answer that ends while the user looks elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.tui.turn import Turn

LONG_SECONDS: Final = 10.0
"""An answer that took this long is one nobody may have waited for."""


class AnswerBell:
    """Notices when a turn ends.

    Args:
        ring: Called when a long one has ended.
        clock: Seconds that only grow.
    """

    def __init__(
        self, ring: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ring = ring
        self._clock = clock
        self._turn: Turn | None = None
        self._began_at = 0.0

    def note(self, turn: Turn | None) -> None:
        """The turn that runs now; to be told often."""
        if turn is self._turn:
            return
        before, self._turn = self._turn, turn
        now = self._clock()
        if before is not None and not before.is_stopping and now - self._began_at >= LONG_SECONDS:
            self._ring()
        self._began_at = now
