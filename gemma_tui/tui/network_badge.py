"""Shows whom this run is connected with, and tells what was refused.

Costs nothing while nothing is connected: only the end of a connection has to be asked for.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.widgets.header_line import HeaderLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.network import NetworkActivity, NetworkGuard
    from gemma_tui.tui.app import GemmaApp

LOOK_SECONDS: Final = 0.5
"""How long a connection that has ended may still be shown."""


class NetworkBadge:
    """Keeps the badge of the first line true, from the first paint to the end.

    Args:
        guard: Knows what is connected; calls from any thread. Without one nothing is shown.
        app: Has the badge, and tells what was refused.
    """

    def __init__(self, guard: NetworkGuard | None, app: GemmaApp) -> None:
        self._guard = guard
        self._app = app
        self._refused = 0
        self._is_waiting = False
        self._unwatch: Callable[[], None] | None = None

    def start(self) -> None:
        """Follow the guard; called in the loop of the app."""
        if self._guard is None:
            return
        loop = asyncio.get_running_loop()

        def changed() -> None:
            loop.call_soon_threadsafe(self._show)

        self._unwatch = self._guard.watch(changed)
        self._show()

    def stop(self) -> None:
        """Follow it no more: the loop ends."""
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    def _show(self) -> None:
        if self._unwatch is None or self._guard is None:
            return
        activity = self._guard.activity
        self._app.chat_screen.query_one(HeaderLine).network = activity
        if activity.refused > self._refused:
            self._refused = activity.refused
            self._app.notify(_sentence(activity), severity="warning", timeout=20, markup=False)
        if activity.hosts and not self._is_waiting:
            self._is_waiting = True
            self._app.set_timer(LOOK_SECONDS, self._look_again)

    def _look_again(self) -> None:
        self._is_waiting = False
        self._show()


def _sentence(activity: NetworkActivity) -> str:
    target = f"to {sanitize_line(activity.refused_host)} " if activity.refused_host else ""
    return f"A connection {target}was refused: nobody had asked for it. Nothing was sent."
