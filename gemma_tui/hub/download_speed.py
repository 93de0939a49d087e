"""How fast something goes, and how long it will take, from the last seconds."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

_WINDOW_SECONDS: Final = 8.0


class Speed:
    """Measures one thing at a time."""

    def __init__(self) -> None:
        self._what = ""
        self._seen: deque[tuple[float, int]] = deque()

    def measured(self, what: str, done: int, total: int) -> tuple[float, float | None]:
        """The rate in bytes a second, and the seconds left (None while nothing moves).

        Args:
            what: Which phase; another one begins anew.
            done: Bytes so far.
            total: Bytes in the end.
        """
        now = time.monotonic()
        if what != self._what or (self._seen and done < self._seen[-1][1]):
            self._what = what
            self._seen.clear()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()
        first, before = self._seen[0]
        rate = (done - before) / (now - first) if now > first else 0.0
        return rate, (total - done) / rate if rate > 0 else None
