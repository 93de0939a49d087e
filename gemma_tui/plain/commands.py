"""The commands of plain mode: those of the app that make sense without a screen, and some more.

Names, arguments and needs come from the one registry, `frontend.commands`. Pure values.
"""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Final

from gemma_tui.frontend.commands import COMMANDS, Command

_ONLY_HERE: Final = (
    Command("open", "Open a conversation of the list", "", argument="number", needs_argument=True),
    Command("show", "Show this conversation from its beginning", "", needs=("conversation",)),
)  # fmt: skip
_OTHER_TITLES: Final = {
    "attachments": "Show what is attached to the messages of this conversation",
    "list": "Show the conversations with their numbers",
    "model": "Show the models on this disk, or change to one",
    "delete": "Delete this conversation; /undo brings it back",
    "help": "This help",
}
_ARGUMENTS: Final = {"model": "number"}
_SHARED: Final = (
    *("new", "list", "search", "retry", "continue", "attach", "attachments"),
    *("detach", "budget", "range", "think", "overflow", "model", "system"),
    *("rename", "pin", "archive", "tags", "delete", "undo", "export", "import", "help", "quit"),
)

ONLY_ON_A_SCREEN: Final = {
    "settings": "gemma-tui config show lists them; /think, /overflow, /model and /system set some.",
    "demo": "/model and a number changes the model.",
    "stop": "Ctrl+C stops a reply.",
    "edit": "Write the question again.",
    "copy": "Select the answer in the terminal.",
    "paste": "Write the path of a file to attach it.",
    "record": "gemma-tui record writes a recording to a file; its path attaches it.",
    "crop": "Attach a picture of the part.",
    "transcribe": "gemma-tui transcribe writes down what is said, as a text to attach.",
    "closer": "/budget sets the tokens of a picture before it is sent.",
    "theme": "Nothing is drawn, so nothing has colours.",
    "notices": "Everything that was told stands above.",
    "tour": "/help says what there is.",
}
"""What to do instead of the commands of the app that plain mode does not have."""


def _commands() -> tuple[Command, ...]:
    shared = (command for command in COMMANDS if command.name in _SHARED)
    adapted = (
        replace(
            command,
            title=_OTHER_TITLES.get(command.name, command.title),
            argument=_ARGUMENTS.get(command.name, command.argument),
            key="",
        )
        for command in shared
    )
    return (*adapted, *_ONLY_HERE)


PLAIN_COMMANDS: Final = _commands()
"""In the order of the help."""

HELP: Final = (
    "Anything else is sent to the model. A path from / or ~ on a line of its own attaches "
    "the file.",
    "A line that ends with a backslash goes on in the next one.",
    "Ctrl+C stops the reply; twice, or Ctrl+D, leaves. What was said is kept, and so is "
    "what is attached, or written and not sent, if you type it.",
    "Nothing leaves this computer unless you choose a server. Settings: gemma-tui config show.",
)
"""What else there is to know."""

_LEAST_COLUMNS: Final = 60
"""Narrower, a column of its own for what commands do would hold a word or two."""


def help_lines(columns: int | None) -> tuple[str, ...]:
    """All commands with what they do, and what else there is to know.

    Args:
        columns: Lines are broken between words to fit so many; None leaves them whole.
    """
    usage = max(len(command.usage) for command in PLAIN_COMMANDS) + 2
    rows = [(f"{item.usage:<{usage}}{item.title}", usage) for item in PLAIN_COMMANDS]
    rows += [("", 0), *((sentence, 0) for sentence in HELP)]
    if columns is None or columns < _LEAST_COLUMNS:
        return tuple(text for text, _ in rows)
    return tuple(line for text, indent in rows for line in _wrap(text, columns, indent))


def _wrap(text: str, columns: int, indent: int) -> list[str]:
    return textwrap.wrap(text, columns, subsequent_indent=" " * indent, break_on_hyphens=False) or [
        ""
    ]
