"""Says that an answer has ended while the user looks elsewhere: by the bell, or by a title."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from gemma_tui.conversation import MessageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.frontend.turn import Turn
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.perform import Perform
    from gemma_tui.tui.preferences import Preferences
    from gemma_tui.tui.window_title import WindowTitle

LONG_SECONDS: Final = 10.0
"""An answer that took this long is one nobody may have waited for."""

ENDED: Final = "●"
FAILED: Final = "!"
"""What stands in front of the conversation's title."""


class NotifiedTerminal(Protocol):
    """The terminal, as the app knows it."""

    app_focus: bool
    """Whether the user looks at it, as far as the terminal tells."""

    @property
    def window_title(self) -> WindowTitle | None:
        """Its title; None where it has none."""

    def bell(self) -> None:
        """Ring."""


class Notifier:
    """Tells when a turn has ended.

    Args:
        store: Knows the titles of conversations.
        page: The one that is shown.
        preferences: How to tell.
        terminal: Where.
        perform: Runs a coroutine function as a worker.
    """

    def __init__(
        self,
        store: ConversationStore,
        page: Page,
        preferences: Preferences,
        terminal: Callable[[], NotifiedTerminal],
        perform: Perform,
    ) -> None:
        self._store = store
        self._page = page
        self._preferences = preferences
        self._terminal = terminal
        self._perform = perform

    def turn_ended(self, turn: Turn) -> None:
        """Tell, if it was worth waiting for, or nobody would see how it ended."""
        if turn.is_stopping or self._terminal().app_focus:
            return
        is_long = time.monotonic() - turn.began_at >= LONG_SECONDS
        if not (is_long or has_failed(turn) or turn.conversation_id != self._page.conversation_id):
            return
        how = self._preferences.settings.notifications
        if how in {"bell", "both"}:
            self._terminal().bell()
        if how in {"title", "both"}:
            self._perform(partial(self._show_title, turn))

    def focus_changed(self, is_focused: bool) -> None:
        """Whoever looks at the window sees what there is."""
        title = self._terminal().window_title
        if is_focused and title is not None:
            title.restore()

    async def _show_title(self, turn: Turn) -> None:
        name = "gemma-tui"
        if turn.reply is not None:
            name = (await self._store.get(turn.reply.conversation_id)).title or name
        terminal = self._terminal()
        if terminal.window_title is not None and not terminal.app_focus:
            terminal.window_title.show(f"{FAILED if has_failed(turn) else ENDED} {name}")


def has_failed(turn: Turn) -> bool:
    """Whether a turn that has ended ended with an error."""
    return turn.reply is None or turn.reply.state is MessageState.FAILED
