"""A real engine process, for what is looked into on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from gemma_tui.engine.client import EngineClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def local(tmp_path: Path) -> AsyncIterator[EngineClient]:
    """An engine process without a model."""
    client = EngineClient(tmp_path / "engine.log")
    yield client
    await client.close()
