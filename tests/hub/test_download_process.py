"""The download in a process of its own: the same events, the same errors, and no process left."""

from __future__ import annotations

import os
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import DownloadError, RefusedDownloadError
from gemma_tui.hub.download_events import (
    Downloaded,
    DownloadPlanned,
    DownloadProgress,
    DownloadWaiting,
)
from gemma_tui.hub.download_process import EVENTS, download_apart, order_line
from gemma_tui.hub.download_worker import read_order
from gemma_tui.hub.downloaded import ModelState, downloaded_models
from tests.hub_server import COMMIT, REPO, Fault, HubServer

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.hub.download_events import DownloadOrder


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The process reads the environment for itself."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def test_an_order_arrives_as_it_was_given(order: DownloadOrder) -> None:
    assert read_order(order_line(order)) == order


async def test_the_app_gets_the_same_events(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    hub.rule = lambda asked: Fault(503) if asked.kind == "listing" and not asked.number else None
    events = [event async for event in download_apart(order)]
    waiting, planned, *progress, last = events
    assert isinstance(waiting, DownloadWaiting)
    total = hub.total_bytes
    assert planned == DownloadPlanned(REPO, COMMIT, len(hub.files), total, 0)
    assert all(isinstance(event, DownloadProgress) for event in progress)
    [model] = downloaded_models(cache)
    assert last == Downloaded(REPO, COMMIT, model.folder, total, total)
    assert model.state is ModelState.VERIFIED
    assert set(EVENTS) == {type(event).__name__ for event in events}


async def test_the_app_gets_the_same_errors(hub: HubServer, order: DownloadOrder) -> None:
    with pytest.raises(RefusedDownloadError, match="There is no tests/other") as caught:
        async with aclosing(download_apart(replace(order, repo="tests/other"))) as events:
            await anext(events)
    assert "HF_TOKEN" in caught.value.hint


async def test_a_pause_ends_the_process_and_keeps_what_came(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    hub.bytes_per_second = 2e6
    async with aclosing(download_apart(order)) as events:
        async for event in events:
            if isinstance(event, DownloadProgress) and event.done_bytes > 1_000_000:
                break
    [model] = downloaded_models(cache)
    assert model.state is ModelState.PARTIAL
    assert model.done_bytes > 1_000_000
    hub.bytes_per_second = None
    last = [event async for event in download_apart(order)][-1]  # the lock is free again
    assert isinstance(last, Downloaded)
    assert last.fetched_bytes <= hub.total_bytes - model.done_bytes + 1024 * 1024


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "import os; os.kill(os.getpid(), 9)"])
async def test_a_process_that_ends_is_told(order: DownloadOrder, code: str) -> None:
    with pytest.raises(DownloadError, match="ended unexpectedly") as caught:
        async with aclosing(download_apart(order, [sys.executable, "-c", code])) as events:
            await anext(events)
    assert "goes on" in caught.value.hint


async def test_a_process_that_cannot_start_is_told(order: DownloadOrder) -> None:
    with pytest.raises(DownloadError, match="could not be started"):
        await anext(download_apart(order, [os.devnull]))
