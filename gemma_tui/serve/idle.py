"""Gives the model's memory back while nobody asks; the next request has it loaded again."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.engine.interface import Engine


class IdleSuspension:
    """Counts the time from one reply to the next.

    Args:
        engine: Holds the model.
        minutes: After how many of them its memory is freed; 0 never.
    """

    def __init__(self, engine: Engine, minutes: float) -> None:
        self._engine = engine
        self._minutes = minutes
        self._timer: asyncio.TimerHandle | None = None
        self._suspending: asyncio.Task[bool] | None = None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """The model is needed as long as this context; time counts from its end."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            yield
        finally:
            if self._minutes:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(60 * self._minutes, self._suspend)

    def _suspend(self) -> None:
        self._suspending = asyncio.get_running_loop().create_task(self._engine.suspend())
