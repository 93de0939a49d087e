"""Files of conversations, out and in, as the chat screen offers them."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.paths import expand
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App

    from gemma_tui.exchange.exchange import Exchange
    from gemma_tui.tui.desk import Desk
    from gemma_tui.tui.desk_owner import DeskOwner
    from gemma_tui.tui.drafts import DraftKeeper
    from gemma_tui.tui.page import Page
    from gemma_tui.tui.widgets.composer_panel import ComposerPanel

_EXPORT: Final = "Write this conversation to a file: .md with its media, .html, or .json"
_IMPORT: Final = "Import conversations: from gemma-tui, ChatGPT (JSON or zip), oterm"
_STEP: Final = 0.1
"""Share of a file after which the next sentence says how far it is."""


class Exchanging:
    """Exports the open conversation and imports others.

    Args:
        exchange: Writes and reads the files.
        page: What is exported.
        drafts: Keeps the draft that is exported with it.
        desk: Shows the list again.
        panel: Where sentences are shown.
        owner: The screen.
    """

    def __init__(
        self,
        exchange: Exchange,
        page: Page,
        drafts: DraftKeeper,
        desk: Desk,
        panel: ComposerPanel,
        owner: DeskOwner,
    ) -> None:
        self._exchange = exchange
        self._page = page
        self._drafts = drafts
        self._desk = desk
        self._panel = panel
        self._owner = owner
        self._refused = ""

    async def export(self, argument: str, app: App[Any]) -> None:
        """Write the open conversation to this path, or ask for one."""
        conversation = self._page.conversation
        if conversation is None:
            return
        if argument:
            await self._export(conversation.id, argument)
            return
        typed = self._refused or await asyncio.to_thread(_suggested, conversation.title)
        work = partial(self._export, conversation.id)
        self._ask(app, _EXPORT, "exports", typed, work)

    async def import_file(self, argument: str, app: App[Any]) -> None:
        """Import what is in the file with this path, or ask for one."""
        if argument:
            await self._import(argument)
        else:
            self._ask(app, _IMPORT, "imports", "", self._import)

    def _ask(
        self,
        app: App[Any],
        question: str,
        verb: str,
        typed: str,
        work: Callable[[str], Awaitable[None]],
    ) -> None:
        from gemma_tui.tui.screens.path import PathScreen  # noqa: PLC0415  # rarely used

        def chosen(text: str | None) -> None:
            if text:
                self._owner.perform(partial(work, text))

        app.push_screen(PathScreen(question, verb, typed), chosen)

    async def _export(self, conversation_id: int, typed: str) -> None:
        self._panel.problem.tell("")
        self._refused = typed  # unless it succeeds: the dialogue offers it again
        await self._drafts.save()  # what is kept may be the command itself, as far as it was typed
        written = await self._exchange.export(conversation_id, _path(typed))
        self._refused = ""
        self._panel.notify(f"Written to {sanitize_line(str(written))}.", markup=False)

    async def _import(self, typed: str) -> None:
        path, loop = _path(typed), asyncio.get_running_loop()
        name, told = sanitize_line(path.name), 0.0

        def show(fraction: float) -> None:
            nonlocal told
            if fraction >= told:
                told = fraction + _STEP
                sentence = f"Importing “{name}”: {fraction:.0%}."
                loop.call_soon_threadsafe(self._panel.problem.tell, sentence)

        report = await self._exchange.import_file(path, show)
        self._panel.problem.tell("\n".join(map(sanitize_line, report.sentences)))
        await self._desk.refresh_list()
        self._panel.notify(report.summary, markup=False)


def _path(typed: str) -> Path:
    return expand(typed.strip()).absolute()


def _suggested(title: str) -> str:
    """A file of Markdown that is not there yet, where downloads go."""
    from gemma_tui.exchange.output import safe_name  # noqa: PLC0415  # rarely used

    home, name = Path.home(), safe_name(title)
    folder = home / "Downloads"
    place = folder if os.path.isdir(folder) else home  # noqa: PTH112  # it never raises
    numbers = ("", *(f" {number}" for number in range(2, 1000)))
    free = (f"{name}{n}.md" for n in numbers if not os.path.lexists(place / f"{name}{n}.md"))
    return str(place / next(free, f"{name}.md"))
