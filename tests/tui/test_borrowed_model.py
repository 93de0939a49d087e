"""A model that cannot hear lends its place to one that can while a sound is written down."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.engine.interface import EngineState
from gemma_tui.generation import MediaInfo
from gemma_tui.sound_clip import SoundClip
from tests.scripted_engine import MODEL, Hold, ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from gemma_tui.generation import GenerationEvent, GenerationRequest, ModelInfo
    from gemma_tui.paths import Paths
    from tests.scripted_engine import Step
    from tests.tui.conftest import Opener, Running

SECOND = 16_000
"""Samples; the length of every sound here."""

TEXTS = {f"{name} (transcript).txt": MediaInfo("text", "text/plain") for name in ("memo", "second")}


class TwoModels(ScriptedEngine):
    """Has a model that cannot hear, and loads one that can from the folder `listener`."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        super().__init__(*scripts, model=replace(MODEL, name="deaf", can_hear=False), ready=False)
        self.media |= TEXTS
        self.clips[0] = SoundClip(0, SECOND, 0, 0, SECOND)
        self.loaded: list[str] = []
        """Every model that `load` was asked for."""
        self.may_go_back = asyncio.Event()
        self.may_go_back.set()
        self.heard_by: list[str] = []
        """Which model answered, for each request."""

    async def start(self, folder: Path) -> None:
        can_hear = folder.name == "listener"
        name = "listener" if can_hear else "deaf"
        self.model = replace(self.model, name=name, folder=str(folder), can_hear=can_hear)
        self.set_state(EngineState("ready", self.model))

    async def load(self, folder: Path) -> ModelInfo:
        is_back = folder.name != "listener"
        self.loaded.append("deaf" if is_back else "listener")
        if is_back:
            await self.may_go_back.wait()
        return await super().load(folder)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        self.heard_by.append(self.model.name)
        async for event in super().generate(request):
            yield event


@pytest.fixture
def listener(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An imported model that hears, as far as its folder tells."""
    monkeypatch.setenv("GEMMA_TUI_HOME", str(paths.data.parent))
    folder = paths.models / "listener"
    folder.mkdir(parents=True)
    text = {"num_hidden_layers": 35, "hidden_size": 1536}
    config = {"model_type": "gemma4", "text_config": text, "audio_config": {"x": 1}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(bytes(10))
    return folder


def notes(paths: Paths) -> list[Path]:
    """What the next start would say that it was being written down."""
    return list(paths.transcripts.glob("*.begun"))


async def press_t(running: Running) -> None:
    running.tray.focus()
    await running.pilot.press("t")


@pytest.mark.usefixtures("listener")
async def test_a_second_sound_that_waits_borrows_it_as_well(
    open_app: Opener, sound: Path, paths: Paths
) -> None:
    second = sound.with_name("second.wav")
    second.write_bytes(b"another sound")
    hold = Hold()
    engine = TwoModels(["one", hold], ["two"])
    async with open_app(engine) as running:
        await running.drop(sound, second)
        await press_t(running)
        await running.until(hold.reached.is_set, "the first sound")
        await running.pilot.press("left")
        await press_t(running)
        await running.shown("waiting to be written down")
        hold.release()
        await running.until(lambda: set(running.chips()) == set(TEXTS), "both texts")
        await running.until(lambda: len(engine.loaded) == 4, "the way back")
        assert not running.problem
    assert engine.heard_by == ["listener", "listener"]
    assert engine.loaded == ["listener", "deaf", "listener", "deaf"]
    assert not notes(paths)


@pytest.mark.usefixtures("listener")
async def test_stopping_it_twice_does_not_begin_it_again(
    open_app: Opener, sound: Path, paths: Paths
) -> None:
    hold = Hold()
    engine = TwoModels([hold], ["one"])
    async with open_app(engine) as running:
        await running.drop(sound)
        await press_t(running)
        await running.until(hold.reached.is_set, "the clip")
        engine.may_go_back.clear()
        await press_t(running)
        await running.until(lambda: len(engine.loaded) == 2, "the way back")
        await press_t(running)
        await running.pilot.pause()
        await running.shown("writing down is being stopped")
        engine.may_go_back.set()
        await running.until(lambda: "being stopped" not in running.text(), "the end")
        assert engine.heard_by == ["listener"]
        assert engine.loaded == ["listener", "deaf"]
        assert not notes(paths)
        await press_t(running)
        await running.until(lambda: running.chips() == ["memo (transcript).txt"], "the text")


@pytest.mark.usefixtures("listener")
async def test_a_reply_comes_to_its_end_before(open_app: Opener, sound: Path) -> None:
    hold = Hold()
    engine = TwoModels(["Hi", hold, " there."], ["one"])
    async with open_app(engine) as running:
        await running.until(lambda: engine.state.model is not None, "the model")
        await running.send("hello")
        await running.until(hold.reached.is_set, "the reply")
        await running.drop(sound)
        await press_t(running)
        await running.until(lambda: "comes after this reply" in running.status, "the label")
        assert engine.loaded == []
        hold.release()
        await running.shown("Hi there.")
        await running.until(lambda: "memo (transcript).txt" in running.chips(), "the text")
    assert engine.heard_by[0] == "deaf"
    assert engine.closed_early == 0


async def test_a_model_that_was_unloaded_is_waited_for(open_app: Opener, sound: Path) -> None:
    engine = ScriptedEngine(["one"])
    engine.media |= TEXTS
    engine.clips[0] = SoundClip(0, SECOND, 0, 0, SECOND)
    engine.wake = lambda: engine.set_state(EngineState("loading"))  # type: ignore[method-assign]
    async with open_app(engine) as running:
        await running.drop(sound)
        await engine.suspend()
        await press_t(running)
        await running.shown("waiting to be written down")
        await running.until(lambda: engine.state.phase == "loading", "the model")
        del engine.wake
        engine.set_state(EngineState("ready", MODEL))
        await running.until(lambda: running.chips() == ["memo (transcript).txt"], "the text")
        assert not running.problem
