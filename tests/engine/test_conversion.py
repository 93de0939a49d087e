"""Conversions and estimates through a real engine process."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.engine.conversion import convert
from gemma_tui.engine.protocol import Convert, Converted, ConvertProgress, Estimate
from gemma_tui.errors import ModelError, UsageError
from tests.engine.scenes import ask, collect, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.engine.client import EngineClient
    from tests.engine.conftest import NewEngine

pytestmark = pytest.mark.asyncio(loop_scope="session")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_progress_then_a_folder_that_answers(
    tiny_model: Path, tmp_path: Path, new_engine: NewEngine
) -> None:
    request = Convert(str(tiny_model), str(tmp_path / "new"), 6, 32)
    events = [event async for event in convert(request, tmp_path / "engine.log")]
    *progress, end = events
    assert isinstance(end, Converted)
    assert end.folder == request.target
    shares = [event.done for event in progress if isinstance(event, ConvertProgress)]
    assert len(shares) == len(progress) > 0
    assert shares == sorted(shares)
    assert shares[-1] == progress[-1].total if isinstance(progress[-1], ConvertProgress) else False
    engine = new_engine()
    info = await engine.load(tmp_path / "new")
    assert info.limitations == ()
    assert text_of(await collect(engine.generate(ask("What are you?"))))


async def test_errors_keep_their_class(tiny_model: Path, tmp_path: Path) -> None:
    for request, kind in (
        (Convert(str(tiny_model), str(tmp_path), 4), UsageError),
        (Convert(str(tmp_path), str(tmp_path / "new"), 4), ModelError),
    ):
        with pytest.raises(kind):
            async for _ in convert(request, tmp_path / "engine.log"):
                pass
    assert names(tmp_path) == ["engine.log"]


async def test_closing_early_leaves_nothing(tiny_model: Path, tmp_path: Path) -> None:
    request = Convert(str(tiny_model), str(tmp_path / "new"), 4)
    async with aclosing(convert(request, tmp_path / "engine.log")) as events:
        async for event in events:
            last = event
            break
    assert isinstance(last, ConvertProgress)
    # The last block may have been written before the engine heard of it.
    assert names(tmp_path) in (["engine.log"], ["engine.log", "new"])


async def test_an_estimate_needs_no_load(engine: EngineClient, tiny_model: Path) -> None:
    info = await engine.load(tiny_model)
    whole = await engine.estimate(Estimate(str(tiny_model)))
    assert (whole.context_length, whole.token_budget) == (info.context_length, 1120)
    assert whole.weight_bytes == info.weight_bytes
    assert whole.fits
    assert (whole.fitting_context, whole.fitting_budget) == (8192, 1120)
    short = await engine.estimate(Estimate(str(tiny_model), 2048, 70))
    assert (short.context_length, short.token_budget) == (2048, 70)
    assert short.total_bytes < whole.total_bytes
    with pytest.raises(ModelError, match="not a folder"):
        await engine.estimate(Estimate(str(tiny_model / "absent")))
