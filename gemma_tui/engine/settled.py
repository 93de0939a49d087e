"""Waiting for a model that is being loaded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gemma_tui.engine.interface import Engine, EngineState


async def settled(engine: Engine) -> EngineState:
    """Wait until the engine has a model, or has given up; its state then."""
    done = asyncio.Event()

    def look(state: EngineState) -> None:
        if state.phase in {"ready", "generating", "failed"}:
            done.set()

    unwatch = engine.watch(look)
    try:
        look(engine.state)
        await done.wait()
    finally:
        unwatch()
    return engine.state
