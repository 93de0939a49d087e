"""What all dialogues have in common: they go away once."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Dialogue(ModalScreen[ScreenResultType]):
    """A screen above the chat.

    Textual (8.2.8) pops whatever screen is on top, so that a second Enter, pressed before the first
    one's dialogue was gone, would take the screen below away, and the app with the last one.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Go away with a result; nothing if it is on its way already."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
