"""Another model in the middle of a conversation: waits for the reply, loads, goes back if it fails.

The engine frees the old model before it loads the new one, so memory is never needed twice. What
is typed meanwhile stays in the composer, and is sent when a model is there.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gemma_tui.errors import UsageError
from gemma_tui.frontend.loaded_model import LoadedModel
from gemma_tui.hub.on_disk import real_path
from gemma_tui.media_check import lacking_senses
from gemma_tui.paths import builtin_model
from gemma_tui.sanitize import sanitize_line
from gemma_tui.server_name import what_is_sent
from gemma_tui.settings.configuration import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from textual.worker import Worker

    from gemma_tui.conversation import Attachment
    from gemma_tui.engine.interface import Engine, EngineState
    from gemma_tui.frontend.turn import Turn
    from gemma_tui.tui.preferences import Preferences, Scope


class SwitchOwner(Protocol):
    """What a switch needs from the screen it is on."""

    def perform(self, work: Callable[[], Awaitable[None]]) -> Worker[None]:
        """Run a coroutine function as a worker; show the `GemmaError` it may raise."""

    def show_status(self) -> None:
        """Something the status line says has changed."""

    def running_turn(self) -> Turn | None:
        """The reply that is being written."""

    def media_in_use(self) -> tuple[Attachment, ...]:
        """The attachments of the open branch and of the draft."""

    def inform(self, sentence: str) -> None:
        """Tell something that is no error."""

    def model_settled(self) -> None:
        """A model is there again, the new one or the old one."""


class ModelSwitch:
    """Keeps the loaded model in step with the one that is wanted.

    Args:
        engine: Loads models.
        preferences: Which model is wanted, and where that is kept.
        owner: The screen.
    """

    def __init__(self, engine: Engine, preferences: Preferences, owner: SwitchOwner) -> None:
        self._engine = engine
        self._preferences = preferences
        self._owner = owner
        self._model = LoadedModel(engine)
        self._noted: Path | None = None
        self._told: set[str] = set()
        self._absent: Path | None = None
        self._newest = 0
        self._in_order = asyncio.Lock()
        self.label = ""
        """What a switch is doing, in words; empty if none is under way."""
        self.is_borrowing = False
        """Whether the loaded model is there for a while only."""

    @property
    def is_switching(self) -> bool:
        """Whether a model is being changed."""
        return bool(self.label)

    async def start(self) -> None:
        """Begin to load the model that is wanted, at the start of the app."""
        await self._model.start(self._preferences.model_folder)

    def is_loaded(self, folder: Path) -> bool:
        """Whether `folder` is the model that answers now."""
        return self._model.is_loaded(folder)

    def holds_back(self) -> bool:
        """Whether a question has to wait; begins to load the model this page wants.

        `model_settled` tells its owner when it need not wait any more.
        """
        wanted, foreign = self._preferences.model_folder, self._preferences.foreign_model
        if foreign and foreign not in self._told:
            self._told.add(foreign)
            self._owner.inform(
                f"This conversation names a model that is none of yours: {sanitize_line(foreign)}."
                " It is not loaded. Ctrl+L chooses another one."
            )
        present = self._model.folder
        is_other = (
            present not in {None, wanted}
            and wanted != self._absent
            and real_path(wanted) != real_path(present or "")
        )
        if is_other and not self.is_switching:
            self.label = "changing the model"
            self._owner.perform(partial(self._change, wanted, wanted.name))
        return self.is_switching

    def wake(self) -> None:
        """Load again what was unloaded, if it is what this page wants."""
        is_other = self._model.folder not in {None, self._preferences.model_folder}
        if self._engine.state.phase == "unloaded" and not is_other:
            self._engine.wake()

    def offer(self) -> str:
        """What can be done while no model answers because the remembered one cannot be loaded.

        Empty if that is not so, or the command line names the model: then it has to be that one.
        """
        state, folder = self._engine.state, self._model.folder
        if state.phase != "failed" or state.model is not None or folder is None:
            return ""
        is_named = self._preferences.resolved.origins["model"] is Origin.COMMAND_LINE
        if is_named or self.is_switching or real_path(folder) == real_path(builtin_model()):
            return ""
        return "F12 lets the built-in demo answer meanwhile, Ctrl+L shows the models on this disk."

    async def stand_in(self) -> None:
        """Let the built-in demo answer; what is remembered stays, for the next start.

        Raises:
            UsageError: A model answers.
            GemmaError: It could not be loaded.
        """
        present = self._engine.state.model
        if present is not None or self.is_switching:
            name = present.name if present else "another model"
            raise UsageError(f"{name} answers.", "Ctrl+L changes the model.")
        self._absent = self._preferences.model_folder
        await self._change(builtin_model(), "built-in demo")

    async def choose(self, folder: Path, name: str, scope: Scope) -> None:
        """Have another model answer from now on.

        Args:
            folder: Where it is.
            name: What it is called, for the status line.
            scope: Whether for all conversations or for the open one.

        Raises:
            GemmaError: It could not be loaded; the one before answers again.
        """
        self._absent = None
        await self._change(folder, name, partial(self._keep, folder, scope))

    @asynccontextmanager
    async def borrowed(self, folder: Path, name: str, doing: str) -> AsyncIterator[None]:
        """Have another model do something, and the present one answer again; questions wait.

        A reply that is being written comes to its end before.

        Args:
            folder: Where it is.
            name: What it is called.
            doing: What it does, for the status line.

        Raises:
            GemmaError: One of them could not be loaded.
        """
        self._newest += 1
        number = self._newest
        async with self._in_order:
            before, self._noted = self._model.folder, folder
            self.is_borrowing = True
            try:
                await self._after_reply(folder, name)
                self._show(f"changing to {name}")
                await self._model.replace(folder, name)
                self._show(doing)
                yield
            finally:
                try:
                    if number == self._newest and before is not None:  # else another is wanted
                        self._show(f"changing back to {before.name}")
                        await self._model.replace(before, before.name)
                finally:
                    self.is_borrowing = False
                    if number == self._newest:
                        self._show("")
                        self._owner.model_settled()

    async def remember(self, state: EngineState) -> None:
        """Offer a folder again that was given on the command line, once it has loaded."""
        folder = self._model.folder
        is_new = state.phase == "ready" and folder is not None and folder != self._noted
        if not is_new or folder is None or not self.is_loaded(folder):
            return
        self._noted = folder
        if not self._preferences.knows(folder):
            names = (*self._preferences.settings.known_models, str(folder.absolute()))
            await self._preferences.set("known_models", names, "all")

    async def _change(
        self, folder: Path, name: str, keep: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._newest += 1
        number, is_there = self._newest, False
        try:
            async with self._in_order:
                if number == self._newest:
                    await self._replace(folder, name)
                    is_there = True
                    if keep is not None:
                        await keep()
        finally:
            if number == self._newest:
                self._show("")
                if is_there:  # else what waits would ask for the same model again
                    self._owner.model_settled()

    async def _keep(self, folder: Path, scope: Scope) -> None:
        is_builtin = real_path(folder) == real_path(builtin_model())
        model = "" if is_builtin else str(folder)
        await self._preferences.set("model", model, scope)
        if self._preferences.foreign_model or self._preferences.settings.model != model:
            # The conversation or the environment says otherwise; here the choice holds anyway.
            await self._preferences.set("model", model, "conversation")

    async def _after_reply(self, folder: Path, name: str) -> None:
        """Wait for the reply that is being written, if another model is to come."""
        turn = self._owner.running_turn()
        if turn is not None and not self.is_loaded(folder):
            self._show(f"{name} comes after this reply")
            await turn.done.wait()

    async def _replace(self, folder: Path, name: str) -> None:
        await self._after_reply(folder, name)
        if not self._model.is_loaded(folder):
            self._show(f"changing to {name}")
        if await self._model.replace(folder, name):
            self._tell_what_changed()

    def _tell_what_changed(self) -> None:
        model = self._engine.state.model
        if model is not None:
            sent = what_is_sent(model.folder)
            lack = lacking_senses(self._owner.media_in_use(), model)
            self._owner.inform(
                " ".join(filter(None, (f"From here on {model.name} answers.", sent, lack)))
            )

    def _show(self, label: str) -> None:
        self.label = label
        self._owner.show_status()
