"""The catalogue and the shared cache as rows, and a model that the app fetches from a hub."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from gemma_tui.bench.saved import SavedBenchmarks
from gemma_tui.engine.interface import ComputeDevice
from gemma_tui.hub.fit import built_in_memory
from gemma_tui.network import NetworkGuard
from gemma_tui.tui.model_rows import ModelPlace
from gemma_tui.tui.offered_models import OfferedModels
from gemma_tui.tui.widgets.model_table import ModelTable
from tests.hub.conftest import hub, no_settings
from tests.hub_server import COMMIT, REPO
from tests.tui.test_model_library import asked, line, table, told
from tests.tui.test_models import folders, open_real

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.hub_server import HubServer
    from tests.tui.test_models import Real

__all__ = ["folders", "hub", "no_settings", "open_real"]

GB = 10**9


@pytest.fixture
def network() -> NetworkGuard:
    """What the header shows connections by; nothing is refused."""
    return NetworkGuard()


@pytest.fixture
def offered(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    hub: HubServer,
    no_settings: None,
    network: NetworkGuard,
) -> OfferedModels:
    """A cache of the test's own, and the hub of the test."""
    from huggingface_hub import constants

    del no_settings
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    benchmarks = SavedBenchmarks(tmp_path / "benchmarks.json")
    return OfferedModels(tmp_path / "config", tmp_path / "imported", benchmarks, network)


def test_the_whole_catalogue_is_offered(offered: OfferedModels) -> None:
    rows = offered.find()
    names = [row.name for row in rows]
    for size in ("E2B", "E4B", "12B", "26B-A4B", "31B"):
        assert f"Gemma 4 {size}" in names
    assert {row.place for row in rows} == {ModelPlace.HUB}
    assert all(row.repo and row.size_bytes and row.kind and row.purpose for row in rows)
    assert not any(row.can_be_loaded for row in rows)
    assert all(row.can_be_downloaded for row in rows)
    assert len({row.key for row in rows}) == len(rows)
    (quick,) = [row for row in rows if (row.name, row.kind) == ("Gemma 4 E2B", "4 bit")]
    assert quick.senses == "sees, hears, thinks"


def test_what_fits_is_said_for_this_machine(
    offered: OfferedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = offered.find()
    assert offered.judged(rows, None, 0.0) == rows
    monkeypatch.setattr("gemma_tui.tui.offered_models.built_in_memory", lambda: 16 * 2**30)
    judged = offered.judged(rows, ComputeDevice("a GPU", has_gpu=True, free_bytes=11 * GB), 1e11)
    by_name = {(row.name, row.kind): row for row in judged}
    small, large = by_name["Gemma 4 E2B", "4 bit"], by_name["Gemma 4 31B", "bf16"]
    assert small.fit is not None
    assert large.fit is not None
    assert (small.fit.verdict, large.fit.verdict) == ("fits", "no")
    assert "11.0 GB are free" in large.fit.sentence
    low, high = map(float, small.speed.split("–"))
    assert 0 < low < high < 100
    assert not large.speed
    (advised,) = [row for row in judged if row.advice]
    assert advised.advice == "for a machine with 16 GB of memory."
    assert advised.fit is not None
    assert advised.fit.verdict != "no"
    tiny = offered.judged(rows, ComputeDevice("none", has_gpu=True, free_bytes=GB), 1e11)
    assert not any(row.advice for row in tiny)
    assert built_in_memory() > 0


def test_imported_folders_and_a_foreign_model_of_the_cache_have_rows(
    offered: OfferedModels, tiny_model: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_model, tmp_path / "imported" / "mine")
    snapshot = tmp_path / "hub" / "models--someone--else" / "snapshots" / COMMIT
    shutil.copytree(tiny_model, snapshot)
    rows = {row.key: row for row in offered.find()}
    assert rows[str(tmp_path / "imported" / "mine")].place is ModelPlace.FOLDER
    other = rows["someone/else"]
    assert (other.place, other.state) == (ModelPlace.CACHE, "on disk, unverified")
    assert other.folder == snapshot
    assert other.can_be_loaded


async def test_a_model_is_fetched_paused_verified_mended_and_answers(
    open_real: Callable[..., AbstractAsyncContextManager[Real]],
    offered: OfferedModels,
    hub: HubServer,
    network: NetworkGuard,
    tmp_path: Path,
) -> None:
    hub.bytes_per_second = 3e6
    snapshots = tmp_path / "hub" / "models--tests--tiny-gemma" / "snapshots"
    async with open_real(hub=offered) as running:
        await running.settled("built-in demo")
        await running.pilot.press("ctrl+l")
        await running.shown("not downloaded")
        field = running.app.screen.query_one(Input)
        field.focus()
        field.value = REPO
        await running.pilot.press("enter")
        await running.until(lambda: "127.0.0.1" in asked(running), "the question")
        assert REPO in asked(running)
        assert not hub.asked
        await running.pilot.press("y")
        library = running.app.chat_screen.choosing.library
        downloads = library.downloads
        assert downloads is not None
        await running.until(lambda: downloads.all[REPO].done_bytes > 1_000_000, "some of it")
        assert offered.host in network.activity.hosts
        downloads.pause(REPO)
        await running.until(lambda: not downloads.label, "the pause")
        assert not list(snapshots.glob("*/*"))  # nothing that could be taken for a model
        hub.bytes_per_second = None
        downloads.begin(REPO, "main", REPO)
        await told(running, f"{REPO} is downloaded and verified")
        assert offered.host not in network.activity.hosts
        await running.until(lambda: "on disk" in line(running, "tiny"), "the row")
        (weights,) = snapshots.glob("*/model.safetensors")
        stored = weights.resolve()
        stored.write_bytes(stored.read_bytes()[:-1] + b"!")
        running.app.screen.query_one(ModelTable).focus()
        table(running).choose(REPO)
        await running.pilot.press("v")
        await told(running, "is damaged: model.safetensors")
        await running.until(lambda: "damaged" in line(running, "tiny"), "the state")
        await running.pilot.press("enter")
        await running.until(lambda: "on disk" in line(running, "tiny"), "the model again")
        await running.pilot.press("enter")
        await running.shown("From here on")
        assert running.model.startswith("Gemma 4")
        await running.answer("hello", 2)
