"""Carries events from the threads that make them to the pipe, without ever making those wait.

`put` only appends under a lock; one writer thread does the writing. While the reader at the other
end is slow or stopped, text is merged in memory and decoding goes on at full speed.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from gemma_tui.engine.backlog import Backlog
from gemma_tui.engine.protocol import Event, Progress, encode_frame

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH_SECONDS: Final = 1 / 30
"""Shortest time between two batches of text or progress: a screen shows no more than that."""


class Outbox:
    """The way out of the engine process.

    Args:
        write: Writes all of the bytes, blocking as long as it must; called by `run` only.
        batch_seconds: Shortest time between two batches of text or progress.
    """

    def __init__(
        self, write: Callable[[bytes], None], *, batch_seconds: float = BATCH_SECONDS
    ) -> None:
        self._write = write
        self._batch_seconds = batch_seconds
        self._backlog = Backlog()
        self._changed = threading.Condition()
        self._is_urgent = False
        self._is_closed = False

    def put(self, request_id: int, event: Event) -> None:
        """Hand over an event; from any thread, never blocking on the pipe."""
        can_wait = isinstance(event, Progress)
        with self._changed:
            was_empty = not len(self._backlog)
            self._backlog.push(request_id, event)
            self._is_urgent = self._is_urgent or not can_wait
            # Waking the writer for every token would cost the decoder its GIL.
            if was_empty or not can_wait:
                self._changed.notify()

    def close(self) -> None:
        """Let `run` return once everything is written."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def run(self) -> None:
        """Write what was put, until closed; the body of the writer thread.

        Raises:
            OSError: The reader has gone away.
        """
        earliest = 0.0
        while batch := self._next_batch(earliest):
            earliest = time.monotonic() + self._batch_seconds
            self._write(b"".join(encode_frame(request_id, event) for request_id, event in batch))

    def _next_batch(self, earliest: float) -> list[tuple[int, Event]]:
        """Wait for events, and for `earliest` unless one is urgent; empty means closed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._backlog) or self._is_closed)
            while not (self._is_urgent or self._is_closed):
                remaining = earliest - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
            self._is_urgent = False
            return self._backlog.take()
