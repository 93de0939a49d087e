"""What `/` and `@` stand for while one types: finds the candidates and takes the one that is meant.

Commands are looked up at once, files on a thread of their own.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from gemma_tui.frontend.commands import COMMANDS, find_command
from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.file_search import search_files
from gemma_tui.tui.widgets.completion_list import Candidate

if TYPE_CHECKING:
    from gemma_tui.tui.attaching import Attaching
    from gemma_tui.tui.file_search import FoundFile
    from gemma_tui.tui.perform import Perform
    from gemma_tui.tui.widgets.completion_list import CompletionList
    from gemma_tui.tui.widgets.composer import Composer


_NAME: Final = re.compile(r"/([A-Za-z0-9_-]*)")
_ARGUMENT: Final = re.compile(r"/([A-Za-z0-9_-]+)\s+(\S*)")
_FILE: Final = re.compile(r'(?:^|(?<=\s))@(?:"([^"]*)|([^\s"]*))$')


@dataclass(frozen=True, slots=True)
class Token:
    """The piece of text before the cursor that is being completed."""

    kind: Literal["command", "argument", "file"]
    row: int
    start: int
    """Column at which it begins; it ends at the cursor."""
    typed: str
    """What candidates have to fit."""
    command: str = ""
    """Whose argument it is."""


def find_token(line: str, row: int, column: int) -> Token | None:
    """What the cursor stands behind, if that can be completed.

    Args:
        line: Of the draft, the one with the cursor.
        row: Its number, from 0.
        column: Of the cursor, from 0.
    """
    before = line[:column]
    if row == 0 and (match := _NAME.fullmatch(before)):
        return Token("command", 0, 0, match[1].lower())
    if row == 0 and (match := _ARGUMENT.fullmatch(before)):
        command = find_command(match[1])
        if command is not None and command.choices:
            return Token("argument", 0, match.start(2), match[2].lower(), command.name)
    if match := _FILE.search(before):
        return Token("file", row, match.start(), match[1] if match[1] is not None else match[2])
    return None


def candidates_of(token: Token) -> tuple[Candidate, ...]:
    """Commands or arguments that fit; names that begin as typed come first."""
    if token.kind == "argument" and (command := find_command(token.command)):
        fitting = [choice for choice in command.choices if choice.startswith(token.typed)]
        return tuple(Candidate(choice, "", choice) for choice in fitting)
    ranked: list[tuple[int, Candidate]] = []
    for command in COMMANDS:
        names = (command.name, *command.aliases)
        begins = next((name for name in names if name.startswith(token.typed)), None)
        if begins is None and not any(token.typed in name for name in names):
            continue
        key = f"  {command.key}" if command.key else ""
        row = Candidate(command.usage, f"{command.title}{key}", command.name)
        ranked.append((0 if begins == command.name else 1 if begins else 2, row))
    return tuple(row for _, row in sorted(ranked, key=lambda pair: pair[0]))


class Completing:
    """Keeps the list in step with the text before the cursor.

    Args:
        composer: Whose text is completed.
        shown: The list.
        attaching: Attaches a chosen file.
        perform: Runs a coroutine function as a worker and shows its error.
    """

    def __init__(
        self, composer: Composer, shown: CompletionList, *, attaching: Attaching, perform: Perform
    ) -> None:
        self._composer = composer
        self._shown = shown
        self._attaching = attaching
        self._perform = perform
        self._token: Token | None = None
        self._dismissed: tuple[str, int, int] | None = None
        self._found: dict[str, FoundFile] = {}
        self._listed: Token | None = None

    def update(self) -> None:
        """The text or the cursor changed."""
        row, column = self._composer.cursor_location
        token = find_token(self._composer.document.get_line(row), row, column)
        if token == self._token:
            return
        self._token = token
        place = (token.kind, token.row, token.start) if token else None
        if place is None or place != self._dismissed:
            self._dismissed = None
        if token is None or self._dismissed:
            self._shown.candidates = ()
        elif token.kind == "file":
            self._perform(partial(self._search, token))
        else:
            self._shown.candidates = candidates_of(token)

    def take_key(self, key: str) -> bool:
        """Let the list have a key first; False if it has no use for it."""
        if key not in ("up", "down", "tab", "enter", "escape"):
            return False
        self.update()
        token, chosen = self._token, self._shown.chosen
        if token is None or chosen is None:
            return False
        if token.kind == "file" and token != self._listed and key in ("tab", "enter"):
            return True  # what is listed fits what was typed before; the next list is on its way
        if key in ("up", "down"):
            self._shown.move(1 if key == "down" else -1)
        elif key == "escape":
            self.close()
        elif key == "enter" and token.kind == "command" and find_command(token.typed):
            return False  # it is complete: Enter runs it
        else:
            self.accept(runs=key == "enter")
        return True

    def close(self) -> None:
        """Put the list away until something else is typed."""
        token = self._token
        self._dismissed = (token.kind, token.row, token.start) if token else None
        self._shown.candidates = ()

    def accept(self, *, runs: bool) -> None:
        """Take the chosen row into the text.

        Args:
            runs: Whether a command that is complete then is run as well.
        """
        token, chosen = self._token, self._shown.chosen
        if token is None or chosen is None:
            return
        self._shown.candidates = ()
        if token.kind == "file":
            self._accept_file(token, self._found[chosen.key])
            return
        command = find_command(token.command or chosen.key)
        is_complete = token.kind == "argument" or (command and not command.argument)
        tail = "" if is_complete else " "
        lead = "/" if token.kind == "command" else ""
        self._replace(token, f"{lead}{chosen.key}{tail}")
        if runs and command and (is_complete or not command.needs_argument):
            self._composer.submit()

    def _accept_file(self, token: Token, found: FoundFile) -> None:
        if not found.is_folder:
            self._replace(token, "")
            self._perform(partial(self._attaching.attach, [found.path]))
            return
        quote = '"' if " " in found.shown else ""
        self._replace(token, f"@{quote}{found.shown}/")

    def _replace(self, token: Token, text: str) -> None:
        """Put `text` in the place of the token, as one edit that can be undone."""
        composer = self._composer
        start = (token.row, token.start)
        result = composer.replace(text, start, composer.cursor_location)
        composer.move_cursor(result.end_location)
        self.update()

    async def _search(self, token: Token) -> None:
        found = await asyncio.to_thread(search_files, token.typed, Path.cwd())
        if token != self._token or self._dismissed:
            return  # more was typed meanwhile
        self._listed = token
        self._found = {str(index): item for index, item in enumerate(found) if _fits(item)}
        self._shown.candidates = _rows(self._found)


def _fits(item: FoundFile) -> bool:
    """Whether it can be taken; a folder is written into the text, so it must be fit for that."""
    return not item.is_folder or (sanitize_line(item.shown) == item.shown and '"' not in item.shown)


def _rows(found: dict[str, FoundFile]) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(f"{item.shown}/" if item.is_folder else item.shown, "", key)
        for key, item in found.items()
    )
