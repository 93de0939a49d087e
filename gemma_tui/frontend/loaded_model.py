"""The model the engine has or is about to have, the way to another one, and back if it fails.

Knows no screen: the app and plain mode change models by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.engine.settled import settled
from gemma_tui.errors import EngineStoppedError, GemmaError, ModelError
from gemma_tui.hub.on_disk import real_path

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.engine.interface import Engine


class LoadedModel:
    """Follows which folder is loaded.

    Args:
        engine: Loads it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.folder: Path | None = None
        """What the engine was asked for last; None until it was asked for anything."""

    async def start(self, folder: Path) -> None:
        """Begin to load the first model; returns at once."""
        self.folder = folder
        await self._engine.start(folder)

    def is_loaded(self, folder: Path) -> bool:
        """Whether `folder` is the model that answers now."""
        model = self._engine.state.model
        return model is not None and real_path(model.folder) == real_path(folder)

    async def replace(self, folder: Path, name: str) -> bool:
        """Have another model answer; returns whether that changed anything.

        Args:
            folder: Where it is.
            name: What it is called, for the sentence that says why it could not be loaded.

        Raises:
            GemmaError: It could not be loaded; the one before answers again, if there was one.
        """
        before, had_failed = self.folder, self._engine.state.phase == "failed"
        if self.is_loaded(folder):
            self.folder = folder
            return False
        try:
            await self._load(folder)
        except GemmaError as error:
            if before is None or had_failed or real_path(before) == real_path(folder):
                raise
            await self._load(before)
            old = self._engine.state.model
            raise ModelError(
                f"{name} could not be loaded, so {old.name if old else before.name} answers again."
                f" {error.message}",
                error.hint,
            ) from error
        return True

    async def _load(self, folder: Path) -> None:
        """Load a model, also if the engine has to be started again on the way.

        Raises:
            GemmaError: It cannot be loaded.
        """
        self.folder = folder
        try:
            await self._engine.load(folder)
        except EngineStoppedError:
            # The engine starts itself again, and loads what was wanted last.
            state = await settled(self._engine)
            if state.phase == "failed":
                raise ModelError(state.problem) from None
