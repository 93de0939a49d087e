"""Quantised folders of each kind, loaded and asked through a real engine process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from gemma_tui.engine.client import EngineClient
from tests.engine.scenes import ask, collect, finish_of, png, text_of
from tests.runtime.quantised import KINDS, Kind, write_quantised

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKED = ("4 bits", "8 bits", "mxfp4", "mxfp8 towers", "nvfp4", "a mix")
"""One of each mode; products with quantised weights are slow without a GPU."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EngineClient]:
    client = EngineClient(tmp_path_factory.mktemp("quantised") / "engine.log")
    yield client
    await client.close()


@pytest.fixture
def quantised(tiny_model: Path, tmp_path: Path, kind: Kind) -> Path:
    return write_quantised(tiny_model, tmp_path, kind)[0]


@pytest.mark.parametrize(("name", "kind"), [(name, KINDS[name]) for name in ASKED], ids=ASKED)
async def test_a_quantised_model_answers(
    engine: EngineClient, quantised: Path, tmp_path: Path, name: str
) -> None:
    info = await engine.load(quantised)
    assert info.can_see
    assert info.can_hear
    spoken = await collect(engine.generate(ask("What are you?", max_tokens=12)))
    if name == "8 bits":  # so close to the plain weights that greedy answers are the same
        assert text_of(spoken).startswith("I am a tiny demo")
    red = png(tmp_path / "red.png", (220, 20, 20))
    seen = await collect(engine.generate(ask("What is this?", media=(red,), max_tokens=6)))
    for events in (spoken, seen):
        assert text_of(events)
        assert finish_of(events).reason in ("stop", "length")
