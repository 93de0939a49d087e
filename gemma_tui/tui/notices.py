"""What was told in this run: notices go by themselves, and a problem takes the place of another."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Final

MAX_NOTICES: Final = 50


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user was told."""

    told_at: float
    """Seconds since 1970."""
    sentence: str
    """As it was; whoever shows it sanitises it."""


class NoticeLog:
    """The last notices and problems of a run."""

    def __init__(self) -> None:
        self._notices: deque[Notice] = deque(maxlen=MAX_NOTICES)

    def add(self, sentence: str) -> None:
        """Remember what was told; the same twice in a row counts once."""
        if self._notices and self._notices[0].sentence == sentence:
            self._notices.popleft()
        self._notices.appendleft(Notice(time.time(), sentence))

    @property
    def latest(self) -> tuple[Notice, ...]:
        """All there are, the newest first."""
        return tuple(self._notices)
