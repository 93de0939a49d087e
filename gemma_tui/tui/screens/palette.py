"""The command palette: Textual's own, but what is chosen runs once."""

from __future__ import annotations

from textual import on
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.widgets import Input, OptionList


class PaletteScreen(CommandPalette):
    """Every command by its name.

    Keys that were pressed before the palette was gone are still heard by it. Textual (8.2.8) runs
    the command again for a second Enter, and pops the screen below, with which the app ends.
    """

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _choose_once(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        if not self.is_active:
            event.prevent_default().stop()

    def _action_command_list(self, action: str) -> None:
        """Pass a key on to the list; a page is nothing before that has a size (see `PagedList`)."""
        if self.query_one(CommandList).scrollable_content_region or not action.startswith("page"):
            super()._action_command_list(action)

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Go away; nothing if it is on its way already."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
