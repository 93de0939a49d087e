"""Python's own pauses are kept out of the app while it runs, and are as before afterwards."""

from __future__ import annotations

import asyncio
import gc
import sys
import time

import pytest

from gemma_tui.cli import pauses
from gemma_tui.cli.pauses import SWITCH_SECONDS, without_pauses

PATIENCE_SECONDS = 60.0


async def test_nothing_is_collected_before_the_app_stands() -> None:
    before = sys.getswitchinterval()
    with without_pauses():
        assert not gc.isenabled()
        assert gc.get_freeze_count() == 0
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    assert gc.isenabled()
    assert sys.getswitchinterval() == before


async def test_what_is_there_then_is_never_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "SETTLE_SECONDS", 0.0)
    deadline = time.monotonic() + PATIENCE_SECONDS
    with without_pauses():
        while not gc.isenabled() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert gc.isenabled()
        assert gc.get_freeze_count() > 10_000
        later: list[object] = []
        later.append(later)
        there = {id(each) for each in gc.get_objects()}
        assert id(later) in there  # what comes later is collected as ever
        assert id(sys.modules) not in there
    assert gc.get_freeze_count() == 0


async def test_an_app_that_ends_at_once_is_not_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "SETTLE_SECONDS", 0.0)
    with without_pauses():
        pass
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert gc.get_freeze_count() == 0
