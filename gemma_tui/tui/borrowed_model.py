"""Which other model of this disk listens for one that cannot hear."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gemma_tui.engine.protocol import Estimate
from gemma_tui.engine.settled import settled
from gemma_tui.errors import CapabilityError, ModelError
from gemma_tui.paths import default_paths
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS
from gemma_tui.transcription.transcriber import check_hearing

if TYPE_CHECKING:
    from gemma_tui.engine.interface import Engine
    from gemma_tui.hub.on_disk import ModelOnDisk
    from gemma_tui.settings.schema import Settings

_CONTEXT: Final = 4_096
"""Tokens: a clip takes 750, and its text 1,024 at most."""


async def find_listener(engine: Engine, settings: Settings) -> ModelOnDisk | None:
    """The model that has to be loaded to write a sound down; None if the loaded one can.

    The smallest one, which is there soonest. The built-in demo knows digits only, so it is none.
    A model that was unloaded, or is still loading, is waited for.

    Args:
        engine: Has the loaded model.
        settings: Where other models are.

    Raises:
        ModelError: No model is loaded.
        CapabilityError: No model on this disk can hear.
    """
    from gemma_tui.hub.local_models import local_models  # noqa: PLC0415  # rarely used

    engine.wake()
    state = engine.state if engine.state.phase == "stopped" else await settled(engine)
    model = state.model
    if model is None:
        raise ModelError("No model is loaded that could listen.", "Ctrl+L chooses one.")
    try:
        check_hearing(model)
    except CapabilityError as error:
        found = await asyncio.to_thread(local_models, settings, default_paths().models)
        able = [m for m in found if m.can_hear and not m.is_builtin and not m.problem]
        for listener in able:
            if await _can_be_loaded(engine, listener):
                return listener
        hint = "No model on this disk can, but the built-in demo for digits: E2B would do."
        if able:
            hint = f"{able[0].name} on this disk can, but it cannot be loaded: Ctrl+L says why."
        raise CapabilityError(error.message, hint) from None
    return None


async def _can_be_loaded(engine: Engine, model: ModelOnDisk) -> bool:
    try:
        estimate = await engine.estimate(Estimate(str(model.folder), _CONTEXT, TOKEN_BUDGETS[0]))
    except ModelError:
        return False
    return estimate.fits
