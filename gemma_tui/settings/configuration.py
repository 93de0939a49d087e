"""`Configuration`: the layers of settings on top of each other, and the way to change them.

default < file < this run < environment < conversation < command line. A change is in force at
once and is saved behind it; what cannot be saved holds until the program ends.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gemma_tui.settings.presets import presets
from gemma_tui.settings.reading import read_environment
from gemma_tui.settings.schema import SCHEMA, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gemma_tui.settings.file import SettingsFile
    from gemma_tui.settings.servers import Server
    from gemma_tui.settings.setting import Value


class Origin(StrEnum):
    """Where a value comes from; the words are those of the panel."""

    DEFAULT = "default"
    FILE = "file"
    RUN = "until you quit"
    """Changed in this run, and not saved."""
    ENVIRONMENT = "environment"
    CONVERSATION = "this conversation"
    COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The values that hold, and where each comes from."""

    settings: Settings
    origins: Mapping[str, Origin]

    def value(self, key: str) -> Value:
        """The value of one setting."""
        found: Value = getattr(self.settings, key)
        return found


_NOTHING: Final[Mapping[str, Value]] = {}


class Configuration:
    """Settings as they are now.

    Args:
        file: Where changes are kept.
        environ: The environment.
        command_line: What was given for this run only.
    """

    def __init__(
        self,
        file: SettingsFile,
        environ: Mapping[str, str],
        command_line: Mapping[str, Value] = _NOTHING,
    ) -> None:
        self._file = file
        self._content = file.read()
        self._environment = read_environment(environ)
        self._command_line = dict(command_line)
        self._unsaved: dict[str, Value] = {}
        self._saving = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def problems(self) -> tuple[str, ...]:
        """What the file and the environment say that cannot be used."""
        return (*self._content.problems, *self._environment.problems)

    @property
    def keys(self) -> Mapping[str, str]:
        """Keys that the user wants, by the id of what they do; not checked."""
        return self._content.keys

    @property
    def servers(self) -> Mapping[str, Server]:
        """Servers that can answer in the place of this machine, by their names."""
        return self._content.servers

    @property
    def presets(self) -> Mapping[str, str]:
        """System prompts by name."""
        return presets(self._content.presets)

    def is_own_preset(self, name: str) -> bool:
        """Whether a preset is the user's, so that it can be taken out."""
        return name in self._content.presets

    def resolve(self, conversation: Mapping[str, Value] = _NOTHING) -> Resolved:
        """What holds in a conversation.

        Args:
            conversation: The conversation's own values.
        """
        layers = (
            (Origin.FILE, self._content.values),
            (Origin.RUN, self._unsaved),
            (Origin.ENVIRONMENT, self._environment.values),
            (Origin.CONVERSATION, conversation),
            (Origin.COMMAND_LINE, self._command_line),
        )
        values: dict[str, Value] = {key: setting.default for key, setting in SCHEMA.items()}
        origins = dict.fromkeys(SCHEMA, Origin.DEFAULT)
        for origin, layer in layers:
            values.update(layer)
            origins.update(dict.fromkeys(layer, origin))
        # Every value was checked by its setting when it came in.
        return Resolved(Settings(**values), origins)  # type: ignore[arg-type]

    def watch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change; returns a function that ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self) -> None:
        """Call every listener: settings changed, here or in a conversation."""
        for listener in tuple(self._listeners):
            listener()

    async def set(self, key: str, value: Value) -> None:
        """Change a setting for all conversations; it holds at once.

        Args:
            key: Of the schema.
            value: Checked already; the default is written too, as somebody chose it.

        Raises:
            SettingsError: It could not be saved, and holds until the program ends.
        """
        self._command_line.pop(key, None)  # chosen later than the command line was written
        self._unsaved[key] = value
        self.tell()
        await self._save(key, value)

    async def reset(self, key: str) -> None:
        """Back to the default for all conversations.

        Raises:
            SettingsError: As `set`.
        """
        self._command_line.pop(key, None)
        self._unsaved[key] = SCHEMA[key].default
        self.tell()
        await self._save(key, None)

    async def set_preset(self, name: str, text: str) -> None:
        """Keep a system prompt under a name; an empty one is taken out.

        Raises:
            SettingsError: It could not be saved.
        """
        async with self._saving:
            self._content = await asyncio.to_thread(self._file.set_preset, name, text)
        self.tell()

    async def reload(self) -> tuple[str, ...]:
        """Read the file again, as an editor may have changed it; returns new problems."""
        async with self._saving:
            before, self._content = self._content, await asyncio.to_thread(self._file.read)
        if before != self._content:
            self.tell()
        return tuple(p for p in self._content.problems if p not in before.problems)

    async def _save(self, key: str, value: Value) -> None:
        async with self._saving:
            if self._unsaved.get(key, SCHEMA[key].default) != self._wanted(key, value):
                return  # a later change is on its way
            self._content = await asyncio.to_thread(self._file.set, key, value)
            if self._unsaved.get(key) == self._wanted(key, value):
                self._unsaved.pop(key, None)
        self.tell()

    @staticmethod
    def _wanted(key: str, value: Value) -> Value:
        return SCHEMA[key].default if value is None else value
