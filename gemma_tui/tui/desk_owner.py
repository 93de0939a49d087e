"""What the parts of the main screen need from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.worker import Worker

    from gemma_tui.conversation import Conversation
    from gemma_tui.errors import GemmaError
    from gemma_tui.frontend.turn import Turn


class DeskOwner(Protocol):
    """What a desk and a workspace need from the screen they are on."""

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """Run a coroutine function as a worker; show the `GemmaError` it may raise."""

    def report(self, error: GemmaError) -> None:
        """Show an error."""

    def show_status(self) -> None:
        """The turn or the page changed."""

    def show_list(self, conversations: tuple[Conversation, ...]) -> None:
        """The list of conversations may have changed."""

    def turn_ended(self, turn: Turn) -> None:
        """Nothing of this turn is left to do."""

    def page_turns(self) -> None:
        """Another conversation is about to be shown."""

    def action_toggle_list(self) -> None:
        """Show the list and go there, or hide it."""
