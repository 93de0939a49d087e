"""The models screen: what can be downloaded, verified, deleted, and what goes on when it is closed."""

from __future__ import annotations

import re
import tomllib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input, Label

from gemma_tui.engine.interface import ComputeDevice
from gemma_tui.errors import RefusedDownloadError
from gemma_tui.hub.download_events import DownloadProgress, DownloadWaiting
from gemma_tui.paths import builtin_model
from gemma_tui.tui.model_rows import ModelPlace
from gemma_tui.tui.screens.agreement import AgreementScreen
from gemma_tui.tui.screens.models import ModelScreen
from gemma_tui.tui.screens.tour import TourScreen
from gemma_tui.tui.widgets.model_table import ModelTable
from tests.scripted_engine import ScriptedEngine
from tests.scripted_hub import COMMIT, FITS, GB, NOT, TIGHT, ScriptedHub, offered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.tui.conftest import Opener, Running

SMALL = "mlx-community/gemma-4-e2b-4-bit"
LARGE = "mlx-community/gemma-4-31b-4-bit"


@pytest.fixture
def hub() -> ScriptedHub:
    return ScriptedHub(
        [
            offered("Gemma 4 E2B", "4-bit", 3.6, FITS, purpose="Quick answers."),
            offered("Gemma 4 12B", "4-bit", 6.7, TIGHT),
            offered("Gemma 4 31B", "4-bit", 18.4, NOT),
        ]
    )


@pytest.fixture
def open_models(
    open_app: Opener, hub: ScriptedHub
) -> Callable[..., AbstractAsyncContextManager[Running]]:
    @asynccontextmanager
    async def opened(size: tuple[int, int] = (100, 34)) -> AsyncIterator[Running]:
        async with open_app(ScriptedEngine(), size=size, hub=hub) as running:
            await running.pilot.press("ctrl+l")
            await running.shown("not downloaded")
            yield running

    return opened


def table(running: Running) -> ModelTable:
    return running.app.screen.query_one(ModelTable)


def line(running: Running, name: str) -> str:
    """The line of a model in the table."""
    lines = [str(option.prompt) for option in table(running).options]
    return next((line for line in lines if name in line), "")


def asked(running: Running) -> str:
    """The question on the screen; empty if there is none."""
    found = running.app.screen.query("#question")
    return str(found.first(Label).visual) if found else ""


async def told(running: Running, words: str) -> None:
    """Wait until something is on the screen, wherever its lines break."""

    def is_shown() -> bool:
        return words in " ".join(re.sub("[│▌╭╮╰╯─]", " ", running.text()).split())

    await running.until(is_shown, words)


async def begin(running: Running, hub: ScriptedHub, repo: str = SMALL) -> None:
    """Have a download begun and planned."""
    table(running).choose(repo)
    await running.pilot.press("d")
    await running.until(lambda: isinstance(running.app.screen, AgreementScreen), "the question")
    await running.pilot.press("y")
    await running.until(lambda: hub.asked, "the download")
    hub.plan(repo, 3.6)


async def test_every_model_has_a_line_with_fit_size_and_state(
    open_models: Callable[..., AbstractAsyncContextManager[Running]],
) -> None:
    async with open_models() as running:
        assert "3.6 GB  fits" in line(running, "E2B")
        assert "6.7 GB  tight" in line(running, "12B")
        assert "18.4 GB  no" in line(running, "31B")
        table(running).choose(LARGE)
        await told(running, "Does not fit: it needs 17.2 GB at least")
        assert "not downloaded: mlx-community/gemma-4-31b-4-bit" in running.text()


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (200, 60)])
async def test_it_works_in_every_size(
    open_models: Callable[..., AbstractAsyncContextManager[Running]],
    hub: ScriptedHub,
    size: tuple[int, int],
) -> None:
    async with open_models(size) as running:
        await begin(running, hub)
        hub.progress(1.512, 3.6)
        await running.shown("downloading 42 %")
        shown = line(running, "downloading 42 %")
        assert "E2B" in shown
        assert "3.6 GB" in shown
        assert "fits" in shown
        await told(running, "50.0 MB a second, 42 s left")


async def test_nothing_is_downloaded_without_a_yes_to_size_and_origin(
    open_models: Callable[..., AbstractAsyncContextManager[Running]], hub: ScriptedHub
) -> None:
    async with open_models() as running:
        for repo, words in ((SMALL, ("3.6 GB from hub.example", SMALL)), (LARGE, ("17.2 GB",))):
            table(running).choose(repo)
            for key in ("d", "enter"):
                await running.pilot.press(key)
                await running.until(lambda: isinstance(running.app.screen, AgreementScreen))
                assert all(word in asked(running) for word in words)
                await running.pilot.press("enter")  # which is no yes
                await running.pilot.press("n")
                await running.until(lambda: isinstance(running.app.screen, ModelScreen))
        assert not hub.asked


async def test_a_download_goes_on_while_one_chats_and_its_end_is_told(
    open_models: Callable[..., AbstractAsyncContextManager[Running]],
    hub: ScriptedHub,
    tmp_path: Path,
) -> None:
    async with open_models() as running:
        await begin(running, hub)
        await running.pilot.press("escape")
        hub.progress(0.9, 3.6)
        await running.until(lambda: "↓ 25 %" in running.status, "the mark")
        await running.send("hello")
        await running.shown("Hello there.")
        hub.finish(SMALL, tmp_path)
        await told(running, "is downloaded and verified")
        await running.until(lambda: "↓" not in running.status, "the mark gone")
        assert hub.asked == [(SMALL, COMMIT)]
        await running.pilot.press("ctrl+l")
        await running.until(lambda: "on disk" in line(running, "E2B"), "the model")
        table(running).choose(SMALL)
        await running.pilot.press("enter")
        await running.shown("From here on")
        model = running.engine.state.model
        assert model is not None
        assert model.folder == str(tmp_path)


async def test_d_pauses_and_goes_on_and_del_gives_up(
    open_models: Callable[..., AbstractAsyncContextManager[Running]], hub: ScriptedHub
) -> None:
    async with open_models() as running:
        await begin(running, hub)
        hub.progress(1.8, 3.6)
        await running.shown("downloading 50 %")
        await running.pilot.press("d")
        await running.shown("paused 50 %")
        await running.until(lambda: hub.closed == 1, "the pause")
        assert "↓" not in running.status
        await running.pilot.press("d")  # it was agreed to already
        await running.until(lambda: len(hub.asked) == 2, "the download")
        hub.plan(SMALL, 3.6)
        hub.progress(2.7, 3.6)
        await running.shown("downloading 75 %")
        await running.pilot.press("delete")
        await told(running, "Give up the download of Gemma 4 E2B? 2.7 GB are removed.")
        await running.pilot.press("y")
        await running.until(lambda: hub.discarded == [SMALL], "the end")
        assert hub.closed == 2
        await running.until(lambda: "not downloaded" in line(running, "E2B"), "the line")


async def test_one_comes_after_the_other(
    open_models: Callable[..., AbstractAsyncContextManager[Running]],
    hub: ScriptedHub,
    tmp_path: Path,
) -> None:
    async with open_models() as running:
        await begin(running, hub)
        table(running).choose(LARGE)
        await running.pilot.press("d", "y")
        await running.until(lambda: "comes next" in line(running, "31B"), "the second")
        assert len(hub.asked) == 1
        hub.finish(SMALL, tmp_path)
        await running.until(lambda: [repo for repo, _ in hub.asked] == [SMALL, LARGE], "the second")


async def test_a_download_that_waits_or_fails_says_why(
    open_models: Callable[..., AbstractAsyncContextManager[Running]], hub: ScriptedHub
) -> None:
    async with open_models() as running:
        await begin(running, hub)
        hub.events.put_nowait(DownloadWaiting("The network is gone.", 30.0))
        await told(running, "The network is gone. It is tried again by itself.")
        hub.events.put_nowait(DownloadProgress("verifying", GB, 2 * GB, 1e8, None, "a.safetensors"))
        await running.shown("verifying 50 %")
        hub.events.put_nowait(RefusedDownloadError("The hub \x1b[31msays no.", "Ask it."))
        await running.until(lambda: "failed" in line(running, "E2B"), "the failure")
        await told(running, "was not downloaded")
        await told(running, "says no. Ask it.")
        assert "\x1b" not in running.text()
        await running.pilot.press("d")
        await running.until(lambda: len(hub.asked) == 2, "another try")


async def test_leaving_the_app_ends_the_download(
    open_models: Callable[..., AbstractAsyncContextManager[Running]], hub: ScriptedHub
) -> None:
    async with open_models() as running:
        await begin(running, hub)
        hub.progress(1.8, 3.6)
        await running.shown("downloading 50 %")
    assert hub.closed == 1


def here(hub: ScriptedHub, folder: Path, trust: str = "verified") -> None:
    """Let a model be in the cache."""
    place = str(folder.resolve())
    hub.put(SMALL, place=ModelPlace.CACHE, folder=folder, real_folder=place, trust=trust)


async def test_verifying_says_what_it_found(
    open_models: Callable[..., AbstractAsyncContextManager[Running]],
    hub: ScriptedHub,
    tmp_path: Path,
) -> None:
    here(hub, tmp_path)
    async with open_models() as running:
        table(running).choose(SMALL)
        await running.pilot.press("v")
        await told(running, "Gemma 4 E2B is as it should be, byte for byte.")
        hub.damaged = ("model.safetensors",)
        await running.pilot.press("v")
        await told(running, "Gemma 4 E2B is damaged: model.safetensors.")
        await running.until(lambda: "damaged" in line(running, "E2B · 4-bit"), "the line")
        await running.pilot.press("enter")  # it is not loaded, but mended
        await running.until(lambda: hub.asked == [(SMALL, COMMIT)], "the download")
        table(running).choose(LARGE)
        await running.pilot.press("v")
        await told(running, "Only what was downloaded can be compared")


async def test_deleting_says_what_it_frees_and_asks(
    open_models: Callable[..., AbstractAsyncContextManager[Running]],
    hub: ScriptedHub,
    paths: Paths,
    tmp_path: Path,
) -> None:
    here(hub, tmp_path)
    async with open_models() as running:
        table(running).choose(SMALL)
        await running.pilot.press("m")
        await told(running, "Gemma 4 E2B answers from the next message on")
        await running.until(lambda: "default" in line(running, "E2B"), "the mark")
        assert tomllib.loads(paths.settings.read_text())["model"]["model"] == str(tmp_path)
        await running.pilot.press("delete")
        await told(running, "That frees 2.6 GB.")
        await told(running, "the built-in demo answers")
        await running.pilot.press("n", "delete", "y")
        await told(running, "Gemma 4 E2B is deleted; 2.6 GB are free again.")
        assert hub.removed == [SMALL]
        await running.until(lambda: "not downloaded" in line(running, "E2B"), "the line")
        assert not tomllib.loads(paths.settings.read_text())["model"].get("model")
        await running.pilot.press("delete")
        await told(running, "was not downloaded by gemma-tui")


async def test_the_model_that_answers_is_not_deleted(
    open_models: Callable[..., AbstractAsyncContextManager[Running]], hub: ScriptedHub
) -> None:
    here(hub, builtin_model())
    async with open_models() as running:
        await running.engine.start(builtin_model())
        await running.until(lambda: "answers now" in line(running, "E2B"), "the mark")
        table(running).choose(SMALL)
        await running.pilot.press("delete")
        await told(running, "Gemma 4 E2B answers now. Choose another model first.")
        assert not hub.removed


async def test_a_name_on_the_hub_can_be_typed(
    open_models: Callable[..., AbstractAsyncContextManager[Running]], hub: ScriptedHub
) -> None:
    async with open_models() as running:
        field = running.app.screen.query_one(Input)
        field.focus()
        field.value = "owner/fine-tune"
        await running.pilot.press("enter")
        question = "An unknown size from hub.example (owner/fine-tune)"
        await running.until(lambda: question in asked(running), "the question")
        await running.pilot.press("y")
        await running.until(lambda: hub.asked == [("owner/fine-tune", "main")], "the download")
        hub.plan("owner/fine-tune", 2.0)
        hub.progress(1.0, 2.0)
        await running.until(lambda: "downloading 50 %" in line(running, "owner/fine-tune"))


async def test_while_only_the_demo_is_here_the_cursor_begins_on_the_advice(
    open_models: Callable[..., AbstractAsyncContextManager[Running]],
    hub: ScriptedHub,
    tmp_path: Path,
) -> None:
    advised = "mlx-community/gemma-4-12b-4-bit"
    hub.put(advised, advice="for a machine with 16 GB of memory.")
    async with open_models() as running:
        await running.shown("Recommended: for a machine with 16 GB of memory.")
        row = table(running).row
        assert row is not None
        assert row.repo == advised
    here(hub, tmp_path)
    async with open_models() as running:
        row = table(running).row
        assert row is not None
        assert row.place is ModelPlace.BUILTIN


async def test_the_first_run_recommends_a_model_and_says_why_size_and_origin(
    open_app: Opener, hub: ScriptedHub, tmp_path: Path
) -> None:
    hub.put(SMALL, advice="for a machine with 16 GB of memory.")
    first_run = {"GEMMA_TUI_TOUR": "true"}
    async with open_app(ScriptedEngine(), size=(60, 24), hub=hub, environ=first_run) as running:
        await running.shown("1 of 3")
        tour = running.app.screen
        assert isinstance(tour, TourScreen)
        await running.until(lambda: bool(tour.advice), "the advice")
        await running.pilot.press("enter", "enter")
        await told(running, "is recommended for a machine with 16 GB of memory. Quick answers.")
        await told(running, f"It is a download of 3.6 GB from hub.example ({SMALL}).")
        await running.pilot.press("ctrl+l")
        await running.until(lambda: isinstance(running.app.screen, ModelScreen), "the models")
        row = table(running).row
        assert row is not None
        assert row.repo == SMALL
        assert not hub.asked
    here(hub, tmp_path)
    async with open_app(ScriptedEngine(), size=(60, 24), hub=hub, environ=first_run) as running:
        library = running.app.chat_screen.choosing.library
        await running.until(lambda: len(library.rows) > 3, "the models")
        await running.shown("1 of 3")


async def test_where_nothing_fits_it_says_what_is_left(
    open_models: Callable[..., AbstractAsyncContextManager[Running]], hub: ScriptedHub
) -> None:
    for repo in [row.repo for row in hub.rows]:
        hub.put(repo, fit=NOT)
    async with open_models() as running:
        await told(running, "No model of the catalogue fits into the memory of this machine.")
        row = table(running).row
        assert row is not None
        assert row.place is ModelPlace.BUILTIN


@pytest.mark.parametrize(("has_gpu", "bandwidth"), [(True, 1e11), (False, 0.0)])
async def test_memory_is_measured_where_that_takes_no_time(
    open_app: Opener, hub: ScriptedHub, has_gpu: bool, bandwidth: float
) -> None:
    engine = ScriptedEngine()
    engine.device = ComputeDevice("a chip", has_gpu=has_gpu, free_bytes=11 * GB)
    async with open_app(engine, hub=hub) as running:
        await running.pilot.press("ctrl+l")
        await running.until(lambda: hub.judged_by, "the verdicts")
        assert hub.judged_by == [(engine.device, bandwidth)]
