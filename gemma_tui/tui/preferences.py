"""The settings that hold on the open page: those for all conversations, and the page's own.

Changes go to the settings file or into the conversation. A conversation that is not created yet
keeps its own here, and gets them with its first message.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from gemma_tui.errors import GemmaError
from gemma_tui.frontend.own_settings import folder_of, own_settings
from gemma_tui.hub.on_disk import real_path
from gemma_tui.paths import builtin_model
from gemma_tui.server_name import server_of
from gemma_tui.settings.configuration import Origin
from gemma_tui.settings.reading import overrides_text, read_overrides
from gemma_tui.settings.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gemma_tui.options import GenerationOptions
    from gemma_tui.settings.configuration import Configuration, Resolved
    from gemma_tui.settings.schema import Settings
    from gemma_tui.settings.setting import Value
    from gemma_tui.storage.conversations import ConversationStore
    from gemma_tui.tui.page import Page

Scope: TypeAlias = Literal["all", "conversation"]
"""For what a change is meant."""


class Preferences:
    """Settings of the open page.

    Args:
        configuration: Settings for all conversations.
        store: Keeps those of one.
        page: Which conversation is open.
    """

    def __init__(self, configuration: Configuration, store: ConversationStore, page: Page) -> None:
        self.configuration = configuration
        self._store = store
        self._page = page
        self._writing = asyncio.Lock()

    @property
    def own(self) -> Mapping[str, Value]:
        """What is set for this conversation only."""
        if self._page.conversation is not None:
            return own_settings(self._page.conversation).values
        return read_overrides(self._page.new_overrides).values

    @property
    def resolved(self) -> Resolved:
        """What holds here, and why; a model that is none of this machine's does not."""
        own = dict(self.own)
        if self.foreign_model:
            del own["model"]
        return self.configuration.resolve(own)

    @property
    def settings(self) -> Settings:
        """What holds here."""
        return self.resolved.settings

    @property
    def options(self) -> GenerationOptions:
        """How replies on this page are to be written."""
        return self.settings.options

    @property
    def model_folder(self) -> Path:
        """The model that is to answer here."""
        return folder_of(self.settings.model)

    @property
    def foreign_model(self) -> str:
        """The model this conversation names, if it is none of this machine's; else empty.

        A conversation may have been imported, and nothing is loaded because a file says so.
        """
        named = str(self.own.get("model") or "")
        usual = self.configuration.resolve().settings.model
        return "" if not named or named == usual or self.knows(folder_of(named)) else named

    def knows(self, folder: Path) -> bool:
        """Whether a model comes with the app, was used before, or lies in the models folder.

        One on a server is known if the settings have the server.
        """
        if server := server_of(folder):
            return server in self.configuration.servers
        settings, place = self.configuration.resolve().settings, real_path(folder)
        if place in map(real_path, (*settings.known_models, str(builtin_model()))):
            return True
        library = settings.model_library
        return bool(library) and place.startswith(f"{real_path(library)}/")

    async def set(self, key: str, value: Value, scope: Scope) -> None:
        """Change a setting; it holds at once.

        Args:
            key: Of the schema.
            value: Checked already.
            scope: For what; a setting of the whole app is always for all.

        Raises:
            GemmaError: It is not saved, and holds until the program ends, or not at all if it was
                meant for a stored conversation.
        """
        if scope == "all" or SCHEMA[key].about.is_global:
            await self.configuration.set(key, value)
        else:
            await self._set_own(key, value)

    async def reset(self, key: str, scope: Scope) -> None:
        """Back to the default, or to what holds for all conversations.

        Raises:
            GemmaError: As `set`.
        """
        if scope == "all" or SCHEMA[key].about.is_global:
            await self.configuration.reset(key)
        else:
            await self._set_own(key, None, removes=True)

    async def toggle(self, key: str, value: Value = None) -> Value:
        """This or the next value of a switch or a choice, where it is set now; returns it.

        What this conversation has of its own, or the environment holds fast, changes for this
        conversation, anything else for all.

        Raises:
            GemmaError: As `set`.
        """
        resolved = self.resolved
        setting = SCHEMA[key]
        value = following(key, resolved.value(key), 1) if value is None else value
        is_own = resolved.origins[key] in {Origin.CONVERSATION, Origin.ENVIRONMENT}
        scope: Scope = "conversation" if is_own and not setting.about.is_global else "all"
        await self.set(key, value, scope)
        return value

    async def _set_own(self, key: str, value: Value, *, removes: bool = False) -> None:
        conversation = self._page.conversation
        values = dict(self.own)
        if not removes:
            values[key] = value
        elif key == "system_prompt" and conversation and conversation.system_prompt:
            values[key] = ""  # it was created with one, which nothing else can take away
        else:
            values.pop(key, None)
        if conversation is None:
            self._page.new_overrides = overrides_text(values, {})
            self.configuration.tell()
            return
        text = overrides_text(values, own_settings(conversation).unknown)
        self._page.conversation = replace(conversation, settings=text)
        self.configuration.tell()
        try:
            async with self._writing:  # in the order of the changes
                await self._store.set_settings(conversation.id, text)
        except GemmaError:
            shown = self._page.conversation
            if shown is not None and shown.id == conversation.id and shown.settings == text:
                self._page.conversation = replace(shown, settings=conversation.settings)
                self.configuration.tell()
            raise


def following(key: str, value: Value, step: int) -> Value:
    """The next value of a switch or a choice, around the end to the first."""
    setting = SCHEMA[key]
    if setting.kind == "switch":
        return not value
    values: list[Value] = [known for known, _ in setting.about.choices]
    if setting.is_optional:
        values.insert(0, None)
    place = values.index(value) if value in values else 0
    return values[(place + step) % len(values)]
