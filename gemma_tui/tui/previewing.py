"""An attachment in small: in characters, or as pixels where the user and the terminal want that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gemma_tui.tui.driver import TerminalDriver
from gemma_tui.tui.graphics.kitty import shows_placeholders

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from gemma_tui.chat import Chat
    from gemma_tui.conversation import Attachment
    from gemma_tui.generation import MediaPreview
    from gemma_tui.tui.graphics.images import TerminalImages
    from gemma_tui.tui.graphics.kitty import Graphic
    from gemma_tui.tui.preferences import Preferences


class Previewing:
    """Makes previews.

    Args:
        chat: Has the engine make them.
        preferences: What the user wants.
        app: Knows the terminal.
    """

    def __init__(self, chat: Chat, preferences: Preferences, app: Callable[[], App[Any]]) -> None:
        self._chat = chat
        self._preferences = preferences
        self._app = app

    async def preview(self, attachment: Attachment) -> MediaPreview | Graphic:
        """An attachment in small; raises as `Chat.preview`."""
        images = images_of(self._app()) if self._preferences.settings.previews == "kitty" else None
        preview = await self._chat.preview(attachment, is_large=images is not None)
        return images.show(preview) if images is not None and preview.rgb else preview


def images_of(app: App[Any]) -> TerminalImages | None:
    """The pictures of the app's terminal; None where it shows none, or changes colours."""
    driver = app._driver
    if not isinstance(driver, TerminalDriver) or not shows_placeholders(os.environ):
        return None
    is_exact = app.console.color_system == "truecolor" and not os.environ.get("NO_COLOR")
    return driver.images if is_exact else None
