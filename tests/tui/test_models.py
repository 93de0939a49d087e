"""Another model in the middle of a conversation, with the real engine and copies of the demo."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import struct
import tomllib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from gemma_tui.chat import Chat
from gemma_tui.conversation import MessageState
from gemma_tui.engine.client import EngineClient
from gemma_tui.errors import InsufficientMemoryError, ModelError
from gemma_tui.exchange.exchange import Exchange
from gemma_tui.frontend.own_settings import system_prompt_of
from gemma_tui.hub.on_disk import real_path
from gemma_tui.paths import builtin_model
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.trees import TreeStore
from gemma_tui.tui.app import GemmaApp
from gemma_tui.tui.screens.models import ModelScreen
from gemma_tui.tui.screens.settings import SettingsScreen
from gemma_tui.tui.widgets.model_table import ModelTable
from gemma_tui.tui.widgets.settings_list import SettingsList
from gemma_tui.tui.widgets.short_text import ShortText
from tests.engine.scenes import eventually, wav
from tests.scripted_engine import ScriptedEngine
from tests.tui.conftest import NO_TOUR, Running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from gemma_tui.generation import ModelInfo
    from gemma_tui.paths import Paths
    from gemma_tui.tui.model_hub import ModelHub
    from tests.tui.conftest import Opener


EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
TOWER = re.compile(r"(model\.)?(audio_tower|vision_tower|embed_audio|embed_vision)\.")


@dataclass(frozen=True)
class Folders:
    """Copies of the built-in model, each in a folder of its own."""

    library: Path
    whole: Path
    deaf: Path
    """Without towers: neither sees nor hears."""
    broken: Path
    """Its weights end early."""


def remove_towers(weights: Path) -> None:
    """Rewrite a safetensors file with the decoder's tensors only."""
    data = weights.read_bytes()
    start = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    kept = {name: info for name, info in header.items() if not TOWER.match(name)}
    body = b""
    for info in kept.values():
        first, last = info["data_offsets"]
        info["data_offsets"] = [len(body), len(body) + last - first]
        body += data[start + first : start + last]
    text = json.dumps(kept).encode()
    text += b" " * (-len(text) % 8)
    weights.write_bytes(struct.pack("<Q", len(text)) + text + body)


@pytest.fixture(scope="module")
def folders(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    library = tmp_path_factory.mktemp("models")
    found = Folders(library, library / "whole", library / "deaf", library / "broken")
    for folder in (found.whole, found.deaf, found.broken):
        shutil.copytree(tiny_model, folder)
    config = json.loads((found.deaf / "config.json").read_text())
    del config["vision_config"], config["audio_config"]
    (found.deaf / "config.json").write_text(json.dumps(config))
    remove_towers(found.deaf / "model.safetensors")
    weights = found.broken / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    return found


@dataclass(frozen=True)
class Real(Running):
    """A running app with the engine process."""

    client: EngineClient

    @property
    def model(self) -> str:
        return self.client.state.model.name if self.client.state.model else ""

    async def choose(self, folder: Path) -> None:
        await self.pilot.press("ctrl+l")
        await self.until(lambda: isinstance(self.app.screen, ModelScreen), "the models")
        table = self.app.screen.query_one(ModelTable)
        key = real_path(folder)
        await self.until(lambda: key in [option.id for option in table.options], "the folders")
        table.choose(key)
        await self.pilot.press("enter")

    async def settled(self, name: str) -> None:
        switch = self.app.chat_screen.choosing.models
        await self.until(lambda: self.model == name and not switch.is_switching, name)

    async def answer(self, text: str, count: int) -> None:
        await self.send(text)
        await self.until(lambda: self.app.chat_screen.desk.turn is None, "the end")

        def complete() -> bool:
            page = self.app.chat_screen._page
            return page.last is not None and page.last.state is MessageState.COMPLETE

        await self.until(complete, "an answer")
        assert len(await self.branch()) == count


@pytest.fixture
def open_real(paths: Paths, folders: Folders) -> Callable[..., AbstractAsyncContextManager[Real]]:
    @asynccontextmanager
    async def opened(
        given: dict[str, str] | None = None,
        environ: dict[str, str] | None = None,
        hub: ModelHub | None = None,
    ) -> AsyncIterator[Real]:
        paths.config.mkdir(parents=True, exist_ok=True)
        if not paths.settings.exists():
            paths.settings.write_text(f'[model]\nmodel_library = "{folders.library}"\n')
        configuration = Configuration(
            SettingsFile(paths.settings), NO_TOUR | (environ or {}), given or {}
        )
        database = await Database.open(paths.database)
        engine = EngineClient(paths.engine_log)
        try:
            store, blobs = ConversationStore(database), BlobStore(paths.blobs)
            app = GemmaApp(
                chat=Chat(store, blobs, engine, system_prompt_of(configuration)),
                store=store,
                engine=engine,
                configuration=configuration,
                exchange=Exchange(TreeStore(database), blobs, engine.probe),
                hub=(lambda: hub) if hub else None,
            )
            async with app.run_test(size=(100, 40), notifications=True) as pilot:
                running = Real(app, pilot, store, ScriptedEngine(), engine)
                await running.until(lambda: app.chat_screen.has_begun, "the start")
                yield running
        finally:
            await engine.close()
            await database.close()

    return opened


def saved_model(paths: Paths) -> str:
    return str(tomllib.loads(paths.settings.read_text())["model"].get("model", ""))


async def test_the_conversation_goes_on_with_another_model(
    open_real: Callable[..., AbstractAsyncContextManager[Real]],
    folders: Folders,
    paths: Paths,
    tmp_path: Path,
) -> None:
    async with open_real() as running:
        await running.settled("built-in demo")
        await running.answer("hello", 2)
        await running.choose(folders.deaf)
        await running.settled("Gemma 4 (deaf)")
        await running.shown("From here on Gemma 4 (deaf) answers.")
        await running.answer("hello again", 4)
        writers = [message.model for message in await running.branch()]
        assert writers == ["", "built-in demo", "", "Gemma 4 (deaf)"]
        mark = "From here on Gemma 4 (deaf) answers; before it was built-in demo."
        await running.shown(mark)
        assert running.text().count("before it was") == 1
        await running.until(lambda: saved_model(paths) == str(folders.deaf))
        assert (await running.client.status()).model == running.client.state.model
    async with open_real() as running:
        await running.settled("Gemma 4 (deaf)")
        await running.shown(mark)
        await running.answer("once more", 6)
        assert running.text().count("before it was") == 1


async def test_clips_stay_and_what_is_skipped_or_refused_is_said(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders, tmp_path: Path
) -> None:
    clip = tmp_path / "click.wav"
    wav(clip)
    async with open_real() as running:
        await running.settled("built-in demo")
        await running.drop(clip)
        await running.answer("what is this", 2)
        await running.choose(folders.deaf)
        await running.settled("Gemma 4 (deaf)")
        await running.shown("this conversation has a sound")
        await running.answer("and now", 4)
        first, *_, last = await running.branch()
        assert [item.name for item in first.attachments] == ["click.wav"]
        assert last.model == "Gemma 4 (deaf)"
        await running.drop(clip)
        await running.send("and this")
        await running.until(lambda: "cannot hear" in running.problem)
        assert running.composer.text == "and this"
        assert running.chips() == ["click.wav"]
        await running.choose(builtin_model())
        await running.settled("built-in demo")
        await running.answer("and this", 6)


async def test_a_failed_load_says_why_and_goes_back(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders, paths: Paths
) -> None:
    async with open_real() as running:
        await running.settled("built-in demo")
        await running.choose(folders.broken)
        await running.until(lambda: "could not be loaded" in running.problem)
        assert "built-in demo answers again" in running.problem
        await running.settled("built-in demo")
        assert not saved_model(paths)
        await running.answer("hello", 2)


async def test_a_kill_in_the_middle_of_a_switch_ends_with_the_new_model(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders, paths: Paths
) -> None:
    async with open_real() as running:
        await running.settled("built-in demo")
        process_id = (await running.client.status()).process_id
        killed = asyncio.Event()

        def kill(state: object) -> None:
            if running.client.state.phase == "loading" and not killed.is_set():
                killed.set()
                os.kill(process_id, signal.SIGKILL)

        running.client.watch(kill)
        await running.type("typed meanwhile")
        await running.choose(folders.whole)
        await eventually(killed.is_set)
        await running.settled("Gemma 4 (whole)")
        assert running.composer.text == "typed meanwhile"
        await running.pilot.press("enter")
        await running.until(lambda: running.app.chat_screen._page.last is not None, "a reply")
        await running.until(lambda: running.app.chat_screen.desk.turn is None, "its end")
        assert [m.model for m in await running.branch()] == ["", "Gemma 4 (whole)"]
        await running.until(lambda: saved_model(paths) == str(folders.whole))


async def test_a_question_sent_during_a_switch_waits_for_the_model(
    open_real: Callable[..., AbstractAsyncContextManager[Real]],
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_real() as running:
        await running.settled("built-in demo")
        load, released = running.client.load, asyncio.Event()

        async def held_load(folder: Path) -> ModelInfo:
            await released.wait()  # else a quick machine has switched before anything is sent
            return await load(folder)

        monkeypatch.setattr(running.client, "load", held_load)
        await running.choose(folders.whole)
        switch = running.app.chat_screen.choosing.models
        await running.until(lambda: switch.is_switching, "the switch")
        await running.send("hello")
        await running.until(lambda: running.composer.text == "hello", "the question given back")
        assert await running.store.list() == ()
        released.set()
        await running.settled("Gemma 4 (whole)")

        async def stored() -> list[str]:
            return [message.model for message in await running.branch()]

        await running.until(lambda: running.app.chat_screen._page.last is not None, "a reply")
        await running.until(lambda: running.app.chat_screen.desk.turn is None, "its end")
        assert await stored() == ["", "Gemma 4 (whole)"]


async def test_a_conversation_with_a_model_of_its_own_brings_it_back(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders, paths: Paths
) -> None:
    async with open_real() as running:
        await running.settled("built-in demo")
        await running.answer("hello", 2)
        await running.app.chat_screen.choosing.models.choose(folders.whole, "whole", "conversation")
        await running.settled("Gemma 4 (whole)")
        assert not saved_model(paths)
        assert json.loads((await running.store.get(1)).settings) == {"model": str(folders.whole)}
        await running.pilot.press("ctrl+n")
        await running.until(lambda: running.app.chat_screen._page.conversation is None, "a page")
        await running.send("elsewhere")
        await running.settled("built-in demo")
        await running.until(lambda: running.app.chat_screen._page.last is not None, "a reply")
        await running.until(lambda: running.app.chat_screen.desk.turn is None, "its end")
        assert (await running.branch(2))[-1].model == "built-in demo"


async def test_answering_again_waits_for_the_model_of_the_conversation(
    open_real: Callable[..., AbstractAsyncContextManager[Real]],
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_real() as running:
        await running.settled("built-in demo")
        await running.answer("hello", 2)
        settings = json.dumps({"model": str(folders.whole)})
        await running.store.set_settings(1, settings)
        running.app.chat_screen.workspace.open(1)
        page = running.app.chat_screen._page
        await running.until(lambda: page.conversation and page.conversation.settings == settings)
        load, released = running.client.load, asyncio.Event()

        async def held_load(folder: Path) -> ModelInfo:
            await released.wait()  # else a quick machine has put the sentence away already
            return await load(folder)

        monkeypatch.setattr(running.client, "load", held_load)
        await running.pilot.press("ctrl+r")
        await running.until(lambda: "being changed" in running.problem)
        released.set()
        await running.settled("Gemma 4 (whole)")
        await running.pilot.press("ctrl+r")
        await running.until(lambda: page.last is not None and page.last.model == running.model)


async def test_a_model_of_its_own_that_fails_is_not_tried_for_ever(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders
) -> None:
    async with open_real() as running:
        await running.settled("built-in demo")
        preferences = running.app.chat_screen.choosing.preferences
        await preferences.set("model", str(folders.broken), "conversation")
        await running.send("hello")
        await running.until(lambda: "could not be loaded" in running.problem)
        await running.settled("built-in demo")
        assert running.composer.text == "hello"
        assert await running.store.list() == ()


async def test_a_model_that_an_imported_conversation_names_is_not_loaded(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folders.whole, elsewhere)
    async with open_real() as running:
        await running.settled("built-in demo")
        imported = await running.store.create("from elsewhere")
        settings = json.dumps({"model": str(elsewhere)})
        await running.store.set_settings(imported.id, settings)
        running.app.chat_screen.workspace.open(imported.id)
        await running.until(lambda: running.app.chat_screen._page.conversation is not None)
        await running.answer("hello", 2)
        await running.shown("is none of yours")
        assert (await running.branch(imported.id))[-1].model == "built-in demo"
        assert (await running.client.status()).model == running.client.state.model
        assert (await running.store.get(imported.id)).settings == settings
        await running.pilot.press("f2")
        await running.until(lambda: isinstance(running.app.screen, SettingsScreen), "the panel")
        rows = running.app.screen.query_one(SettingsList)
        rows.highlighted = [option.id for option in rows.options].index("model")
        await running.shown("names is none of yours, so it is not loaded")
        about = running.app.screen.query_one("#about", ShortText)
        for scope in ("all", "conversation"):
            row = rows.get_option("model").prompt
            assert "built-in demo" in str(row), scope
            assert str(elsewhere) in about.whole, scope
            await running.pilot.press("f3")
        await running.pilot.press("escape")
        await running.choose(elsewhere)
        await running.settled("Gemma 4 (elsewhere)")
        assert not running.app.chat_screen.choosing.preferences.foreign_model


async def test_a_remembered_model_that_cannot_be_loaded_leaves_the_demo(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders, paths: Paths
) -> None:
    paths.config.mkdir(parents=True, exist_ok=True)
    remembered = f'[model]\nmodel = "{folders.broken}"\nmodel_library = "{folders.library}"\n'
    paths.settings.write_text(remembered)
    async with open_real() as running:
        await running.until(lambda: "F12 lets the built-in demo answer" in running.problem)
        assert "model.safetensors" in running.problem  # why
        assert "no model" in running.status
        await running.send("hello")
        await running.until(lambda: running.app.chat_screen.desk.turn is None, "the refusal")
        await running.pilot.press("f12")
        await running.settled("built-in demo")
        await running.shown("From here on built-in demo answers.")
        assert "F12" not in running.problem
        assert [message.text for message in await running.branch()] == ["hello", ""]  # it is kept
        await running.answer("hello again", 4)
        assert paths.settings.read_text() == remembered
        await running.pilot.press("f12")
        await running.until(lambda: "built-in demo answers." in running.problem)
        await running.choose(folders.whole)
        await running.settled("Gemma 4 (whole)")
        await running.answer("and you", 6)
        assert (await running.branch())[-1].model == "Gemma 4 (whole)"


async def test_a_model_of_the_command_line_that_cannot_be_loaded_offers_no_other(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders
) -> None:
    async with open_real({"model": str(folders.broken)}) as running:
        await running.until(lambda: "model.safetensors" in running.problem)
        assert "F12" not in running.problem


async def test_a_choice_holds_here_whatever_the_environment_says(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders, paths: Paths
) -> None:
    async with open_real(environ={"GEMMA_TUI_MODEL": str(folders.deaf)}) as running:
        await running.settled("Gemma 4 (deaf)")
        await running.choose(folders.whole)
        await running.settled("Gemma 4 (whole)")
        await running.until(lambda: saved_model(paths) == str(folders.whole))
        await running.answer("hello", 2)
        assert (await running.branch())[-1].model == "Gemma 4 (whole)"


async def test_the_list_says_what_each_is_and_what_fits(
    open_app: Opener, folders: Folders, paths: Paths, tmp_path: Path
) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text(f'[model]\nmodel_library = "{folders.library}"\n')
    engine = ScriptedEngine()
    engine.estimates["broken"] = ModelError("model.safetensors is \x1b[31mdamaged.")
    engine.estimates["deaf"] = InsufficientMemoryError("It needs 9 GB.")
    async with open_app(engine) as running:
        await running.pilot.press("ctrl+l")
        await running.shown("built-in demo · sees, hears, thinks")
        await running.shown("fits (7.0 of 8.0 GB)")
        table = running.app.screen.query_one(ModelTable)
        for folder, words in (
            (folders.deaf, "Gemma 4 (deaf) · thinks"),
            (folders.deaf, "It needs 9 GB"),
            (folders.broken, "model.safetensors is ␛[31mdamaged"),
        ):
            table.choose(str(folder.resolve()))
            await running.shown(words)
        assert "\x1b" not in running.text()
        field = running.app.screen.query_one(Input)
        field.focus()
        field.value = str(tmp_path / "nowhere")
        await running.pilot.press("enter")
        await running.until(  # where the folder's path is long, the words stand in two lines
            lambda: "not there any more" in " ".join(running.text().replace("│", "").split()),
            "the problem",
        )
        outside = tmp_path / "outside"
        shutil.copytree(folders.whole, outside)
        field.value = str(outside)
        await running.pilot.press("enter")
        await running.shown("Gemma 4 (outside)")
        known = tomllib.loads(paths.settings.read_text())["model"]["known_models"]
        assert known == [str(outside.resolve())]
        await running.pilot.press("escape")
        assert not isinstance(running.app.screen, ModelScreen)


async def test_the_panel_leads_to_the_list(open_app: Opener) -> None:
    async with open_app() as running:
        await running.pilot.press("f2")
        await running.until(lambda: isinstance(running.app.screen, SettingsScreen), "the panel")
        await running.pilot.press("enter")  # the first row is the model
        await running.until(lambda: isinstance(running.app.screen, ModelScreen), "the models")
        await running.pilot.press("escape", "escape")
        await running.until(lambda: running.composer.has_focus, "the composer")


async def test_a_folder_of_the_command_line_is_offered_the_next_time(
    open_real: Callable[..., AbstractAsyncContextManager[Real]],
    folders: Folders,
    paths: Paths,
    tmp_path: Path,
) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(folders.whole, outside)
    async with open_real({"model": str(outside)}) as running:
        await running.settled("Gemma 4 (outside)")
        await running.until(
            lambda: "known_models" in tomllib.loads(paths.settings.read_text())["model"]
        )
    model = tomllib.loads(paths.settings.read_text())["model"]
    assert model["known_models"] == [str(outside)]
    assert "model" not in model


async def test_a_model_that_cannot_hear_lends_its_place_to_one_that_can(
    open_real: Callable[..., AbstractAsyncContextManager[Real]], folders: Folders, paths: Paths
) -> None:
    """The smallest one that can be loaded: the weights of `broken` are shorter, but they are cut."""
    paths.config.mkdir(parents=True, exist_ok=True)
    paths.settings.write_text(
        f'[model]\nmodel = "{folders.deaf}"\nmodel_library = "{folders.library}"\n'
    )
    async with open_real() as running:
        await running.settled("Gemma 4 (deaf)")
        await running.drop(EXAMPLES / "three-one-four.wav")
        running.tray.focus()
        await running.pilot.press("t")
        said = running.app._notifications
        again = "then Gemma 4 (deaf) answers again"
        await running.until(lambda: any(again in note.message for note in said), again)
        await running.send("hello")  # it waits
        await running.until(
            lambda: (
                [item.name for item in running.tray.attachments]
                in ([], ["three-one-four (transcript).txt"])
            ),
            "the text",
        )
        await running.settled("Gemma 4 (deaf)")
        await running.until(lambda: running.app.chat_screen.desk.turn is None, "the end")
        await running.until(lambda: running.app.chat_screen._page.last, "the answer")
        question, reply = await running.branch()
        assert reply.model == "Gemma 4 (deaf)"
        assert [item.name for item in question.attachments] == ["three-one-four (transcript).txt"]
        text = await running.app.chat_screen._attaching._chat.text_of(question.attachments[0])
        assert "3 1 4" in text
        assert saved_model(paths) == str(folders.deaf)
