"""How far the reading of a prompt is, and how long it will take, by its speed so far."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gemma_tui.generation import PrefillProgress

if TYPE_CHECKING:
    from collections.abc import Callable


class PrefillTimer:
    """Measures the reading of one prompt; made when it begins.

    Args:
        total: Tokens of the prompt.
        cached: Those that need not be read.
        clock: Seconds from any beginning.
    """

    def __init__(
        self, total: int, cached: int, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._total = total
        self._cached = cached
        self._clock = clock
        self._started = clock()

    def at(self, done: int) -> PrefillProgress:
        """The progress after `done` tokens, those from the cache among them."""
        read = done - self._cached
        seconds = self._clock() - self._started
        left = (self._total - done) * seconds / read if read > 0 else None
        return PrefillProgress(done, self._total, self._cached, left)
