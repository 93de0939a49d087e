"""What the command palette offers: every command, and what only keys do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from textual.app import SystemCommand
from textual.binding import Binding

from gemma_tui.frontend.commands import COMMANDS
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.tui.keys import now_on
from gemma_tui.tui.screens.chat_keys import CHAT_KEYS, WORKSPACE_KEYS
from gemma_tui.tui.transcript.widget import Transcript
from gemma_tui.tui.widgets.transcript_panel import palette_actions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual.binding import BindingType
    from textual.dom import DOMNode
    from textual.screen import Screen

    from gemma_tui.frontend.commands import Command
    from gemma_tui.tui.app import GemmaApp

_KEYS_OF_COMMANDS: Final = frozenset({"toggle_thinking", "attach", "change_budget"})
"""What keys do that a command does too, under another name."""


def palette_of(app: GemmaApp, screen: Screen[object]) -> Iterator[SystemCommand]:
    """The entries of the palette on a screen; on the chat, all of them."""
    chat = app.chat_screen
    known = {command.action.rpartition(".")[2] for command in COMMANDS} | _KEYS_OF_COMMANDS
    for command in COMMANDS:
        if screen is chat or command.action.startswith("app."):
            help_text = f"/{command.name}  {now_on(command.key, app.keymap)}".rstrip()
            yield SystemCommand(command.title, help_text, partial(_perform, app, command))
    for name, words in SCHEMA["theme"].about.choices:
        choose = partial(chat.choosing.choose_theme, str(name))
        yield SystemCommand(f"Colours: {words}", f"/theme {name}", choose)
    if screen is not chat:
        return
    yield from _entries(app, CHAT_KEYS, known, chat)
    yield from _entries(app, WORKSPACE_KEYS, {"search"}, chat.workspace)
    transcript = chat.query_one(Transcript)
    for name, key, action in palette_actions(transcript, app.keymap):
        yield SystemCommand(name, key, partial(_run, app, action, transcript))


def _entries(
    app: GemmaApp, bindings: Iterable[BindingType], known: Iterable[str], place: DOMNode
) -> Iterator[SystemCommand]:
    for binding in bindings:
        if isinstance(binding, Binding) and binding.show and binding.action not in known:
            run = partial(_run, app, binding.action, place)
            yield SystemCommand(binding.description, app.get_key_display(binding), run)


async def _run(app: GemmaApp, action: str, place: DOMNode) -> None:
    await app.run_action(action, place)


def _perform(app: GemmaApp, command: Command) -> None:
    app.chat_screen.perform(partial(app.chat_screen.run_command, command))
