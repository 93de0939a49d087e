"""How the app ends: at once, with the draft and the text so far saved, by a key or by a signal."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from gemma_tui.errors import GemmaError

if TYPE_CHECKING:
    from textual.app import App

    from gemma_tui.tui.screens.chat import ChatScreen


class Leaving:
    """Saves what must be saved, then ends the app.

    Args:
        app: What ends.
        chat: Has the draft and the running reply.
    """

    def __init__(self, app: App[None], chat: ChatScreen) -> None:
        self._app = app
        self._chat = chat
        self._may_lose_draft = False

    def listen(self) -> None:
        """Leave in order when the terminal closes or the system says so."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave_by_signal, number)

    def stop_listening(self) -> None:
        """Give the signals back."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)

    async def leave(self, return_code: int = 0) -> None:
        """Leave; if the draft cannot be saved, only when asked a second time."""
        try:
            await self._chat.desk.leave()
        except GemmaError as error:
            if not self._may_lose_draft:
                self._may_lose_draft = True
                self._chat.report(error)
                sentence = "The draft is not saved. Ctrl+Q again quits without it."
                self._app.notify(sentence, markup=False)
                return
        self._app.exit(return_code=return_code)

    def _leave_by_signal(self, number: int) -> None:
        self._may_lose_draft = True  # nobody is there to ask
        self._app.run_worker(self.leave(128 + number), group="leave", exclusive=True)
