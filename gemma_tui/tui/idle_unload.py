"""Gives the model's memory back to the machine when nobody has used the app for a while.

A key, a click, a paste, a draft and a reply count as use. What is typed next has the model loaded
again, so that it is there, or nearly, when the question is sent.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from textual import events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.timer import Timer
    from textual.worker import Worker

    from gemma_tui.engine.interface import Engine, EngineState

_USES: Final = (
    *(events.Key, events.Paste, events.MouseDown),
    *(events.MouseScrollUp, events.MouseScrollDown),
)
"""What somebody does; a pointer that is moved may be on its way to another window."""


class IdleUnload:
    """Counts the time without use.

    Args:
        engine: Holds the model.
        minutes: After how many of them its memory is freed; 0 never.
        is_busy: Whether something is under way that needs the model.
        perform: Runs a coroutine function as a worker.
        set_timer: Calls a function after some seconds.
        clock: Seconds since any moment.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        minutes: Callable[[], int],
        is_busy: Callable[[], bool],
        perform: Callable[[Callable[[], Awaitable[None]]], Worker[None]],
        set_timer: Callable[[float, Callable[[], None]], Timer],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._minutes = minutes
        self._is_busy = is_busy
        self._perform = perform
        self._set_timer = set_timer
        self._clock = clock
        self._used_at = clock()
        self._timer: Timer | None = None

    def used(self) -> None:
        """The app was used at this moment."""
        self._used_at = self._clock()

    def saw(self, event: events.Event) -> None:
        """Something came from the terminal."""
        if isinstance(event, _USES):
            self.used()

    def engine_changed(self, state: EngineState) -> None:
        """What loads or writes is in use; once it has ended, time counts from there."""
        self.used()
        if state.model is not None and self._timer is None:
            self.settle()

    def settle(self) -> None:
        """Count as the settings say now."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._minutes():
            self._timer = self._set_timer(max(1.0, self._seconds_left()), self._look)

    def _seconds_left(self) -> float:
        return 60.0 * self._minutes() - (self._clock() - self._used_at)

    def _look(self) -> None:
        self._timer = None
        if self._engine.state.model is None:
            return  # the next one that is loaded is counted from then on
        if self._is_busy():
            self.used()
        if self._seconds_left() <= 0:
            self._perform(self._unload)
        else:
            self.settle()

    async def _unload(self) -> None:
        if not await self._engine.suspend():  # something has just begun, or is kept elsewhere
            self.used()
            self.settle()
