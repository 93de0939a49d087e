"""`/model` of plain mode, and what is to be said of a conversation that has a model of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.errors import UsageError
from gemma_tui.frontend.own_settings import folder_of, own_settings
from gemma_tui.hub.on_disk import real_path
from gemma_tui.hub.remote_models import remote_models
from gemma_tui.media_check import lacking_senses
from gemma_tui.paths import builtin_model, default_paths
from gemma_tui.plain.numbers import number_in
from gemma_tui.server_name import server_of, what_is_sent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.engine.interface import Engine
    from gemma_tui.frontend.loaded_model import LoadedModel
    from gemma_tui.hub.on_disk import ModelOnDisk
    from gemma_tui.plain.console import Console
    from gemma_tui.plain.conversing import Conversing
    from gemma_tui.settings.configuration import Configuration


class ModelCommand:
    """Shows models, and changes to one of them.

    Args:
        loaded: Loads it.
        engine: Whose state says what answers.
        conversing: The open conversation.
        configuration: Where the choice is kept.
        console: Where everything is shown.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        engine: Engine,
        conversing: Conversing,
        configuration: Configuration,
        console: Console,
    ) -> None:
        self._loaded = loaded
        self._engine = engine
        self._conversing = conversing
        self._configuration = configuration
        self._console = console

    async def run(self, argument: str) -> None:
        """Show the models there are, or change to one by its number, its folder, or its name.

        Raises:
            GemmaError: There is no such model, or it could not be loaded: the one before answers
                again.
        """
        from gemma_tui.hub.local_models import local_models  # noqa: PLC0415  # rarely used

        settings = self._conversing.settings
        models = (
            *await asyncio.to_thread(local_models, settings, default_paths().models),
            *remote_models(self._configuration.servers.values()),
        )
        if not argument:
            self._show(models)
            return
        number = number_in(argument)
        if number is None:
            folder = await asyncio.to_thread(_named, argument)
            name = next((m.name for m in models if m.folder == folder), folder.name)
            await self._change(folder, name, models)
        elif 1 <= number <= len(models):
            model = models[number - 1]
            await self._change(model.folder, model.name, models)
        else:
            raise UsageError(f"There is no model {number}.", "/model shows those there are.")

    def tell_own(self) -> None:
        """Say so if the open conversation has a model of its own, and another one answers.

        It is not loaded: whoever opens a conversation to read in it need not wait for that.
        """
        own = str(own_settings(self._conversing.conversation).values.get("model") or "")
        here = self._loaded.folder
        if own and here is not None and real_path(folder_of(own)) != real_path(here):
            name = folder_of(own).name
            self._console.note(
                f"This conversation uses another model in the app: {name}. /model changes it here."
            )

    def _show(self, models: Iterable[ModelOnDisk]) -> None:
        lines = [
            f"{number}  {model.name}, {model.senses}"
            + (f". {model.problem}" if model.problem else "")
            for number, model in enumerate(models, 1)
        ]
        now = self._engine.state.model
        answers = f"{now.name} answers now." if now else "No model is loaded."
        self._console.say("\n".join((*lines, f"{answers} /model and a number changes that.")))

    async def _change(self, folder: Path, name: str, models: Iterable[ModelOnDisk]) -> None:
        self._console.note("Changing the model.")
        await self._loaded.replace(folder, name)
        model = self._engine.state.model
        if model is not None:
            media = (
                *(item for message in self._conversing.branch for item in message.attachments),
                *self._conversing.attachments,
            )
            sent = what_is_sent(model.folder)
            lack = lacking_senses(media, model)
            self._console.say(
                " ".join(filter(None, (f"From here on {model.name} answers.", sent, lack)))
            )
        await self._keep(folder, {real_path(known.folder) for known in models})

    async def _keep(self, folder: Path, known: set[str]) -> None:
        """Save the choice: for all conversations, and for this one if it says otherwise."""
        place = real_path(folder)
        model = "" if place == real_path(builtin_model()) else place
        await self._configuration.set("model", model)
        if self._conversing.settings.model != model:
            await self._conversing.set_own("model", model)
        if place not in known and not server_of(place):
            names = (*self._conversing.settings.known_models, place)
            await self._configuration.set("known_models", names)


def _named(text: str) -> Path:
    """A downloaded model by its name, or a folder."""
    from gemma_tui.hub.wanted_model import named_model  # noqa: PLC0415  # rarely used

    return named_model(text, default_paths().config) or Path(real_path(text))
