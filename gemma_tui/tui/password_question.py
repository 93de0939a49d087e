"""Asks for the password of a locked document in a dialogue of the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App


class PasswordQuestion:
    """Asks, as `AskPassword` says; in a worker, as it waits for the answer.

    Args:
        app: Where the dialogue is shown.
    """

    def __init__(self, app: Callable[[], App[None]]) -> None:
        self._app = app

    async def __call__(self, name: str, is_wrong: bool) -> str | None:
        """The password that was typed; None if the dialogue was put away."""
        from gemma_tui.tui.screens.password import PasswordScreen  # noqa: PLC0415  # rare

        return await self._app().push_screen_wait(PasswordScreen(name, is_wrong=is_wrong))
