"""The engine process and servers as one engine: what answers, what is sent, what stays here."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import wave
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from gemma_tui.conversation import TextPart
from gemma_tui.engine.remote import RemoteModel
from gemma_tui.engine.routing import RoutingEngine
from gemma_tui.errors import (
    DamagedFileError,
    ModelError,
    SettingsError,
    UnreachableServerError,
)
from gemma_tui.generation import (
    Finished,
    GenerationRequest,
    Media,
    MediaProgress,
    PromptMessage,
    PromptPart,
    TextDelta,
)
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.settings.servers import Server, find_server
from tests.remote.scripted_server import Pause, ScriptedServer, said, scripted_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gemma_tui.engine.client import EngineClient
    from gemma_tui.engine.interface import EngineState

STUDIO = Path("server:studio")


@asynccontextmanager
async def routed(
    local: EngineClient, *servers: Server
) -> AsyncIterator[tuple[RoutingEngine, list[EngineState]]]:
    """An engine that knows these servers, and every state it told."""
    known = {server.name: server for server in servers}
    engine = RoutingEngine(local, lambda name: RemoteModel(find_server(known, name), "", local))
    states: list[EngineState] = []
    engine.watch(states.append)
    async with asyncio.timeout(120):
        yield engine, states
    await engine.close()


def studio(server: ScriptedServer, name: str = "studio", **settings: Any) -> Server:
    return Server(name, server.url, **{"sees": True, "hears": True, "context": 4096, **settings})


def asking(text: str, *media: Media) -> GenerationRequest:
    sounds = tuple(item for item in media if item.kind == "audio")
    pictures = tuple(item for item in media if item.kind == "image")
    parts: tuple[PromptPart, ...] = (*pictures, TextPart(text), *sounds)
    options = GenerationOptions(SamplingOptions(temperature=0.0), max_tokens=32)
    return GenerationRequest((PromptMessage("user", parts),), options=options)


async def answer(engine: RoutingEngine, request: GenerationRequest) -> str:
    events = [event async for event in engine.generate(request)]
    assert isinstance(events[-1], Finished)
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def phase_of(engine: RoutingEngine) -> str:
    return engine.state.phase


def picture(path: Path, size: tuple[int, int] = (1600, 1200)) -> Media:
    image = Image.effect_noise(size, 80).convert("RGB")
    image.paste((255, 0, 0), (0, 0, size[0] // 2, size[1]))
    image.save(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Media("image", sha256, str(path), path.name, 1120, *size)


def sound(path: Path) -> Media:
    with wave.open(str(path), "wb") as written:
        written.setnchannels(2)
        written.setsampwidth(2)
        written.setframerate(48_000)
        written.writeframes(b"\x00\x10\x00\x10" * 24_000)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Media("audio", sha256, str(path), path.name, sample_count=8000)


async def test_one_conversation_moves_there_and_back(local: EngineClient, tiny_model: Path) -> None:
    async with (
        scripted_server() as server,
        routed(local, studio(server)) as (engine, states),
    ):
        server.reply(said("From ", "afar."))
        await engine.load(tiny_model)
        at_home = await answer(engine, asking("Who are you?"))
        info = await engine.load(STUDIO)
        assert (info.name, info.folder) == ("gemma at studio (remote)", "server:studio")
        assert engine.state.model == info
        assert (await local.status()).model is None  # its memory is free
        assert await answer(engine, asking("And you?")) == "From afar."
        await engine.load(tiny_model)
        assert await answer(engine, asking("Who are you?")) == at_home
    assert at_home
    assert len(server.bodies) == 1
    told = [(state.phase, state.server) for state in states]
    assert ("loading", "studio") in told
    assert ("generating", "") in told


async def test_pictures_and_sounds_are_sent_as_the_model_takes_them(
    local: EngineClient, tmp_path: Path
) -> None:
    media = picture(tmp_path / "a.png"), sound(tmp_path / "b.wav")
    async with (
        scripted_server() as server,
        routed(local, studio(server)) as (engine, _),
    ):
        server.reply(said("ok"))
        await engine.load(STUDIO)
        events = [event async for event in engine.generate(asking("What is it?", *media))]
        await answer(engine, asking("And again?", *media))
        size = await engine.count(asking("What is it?", *media))
    assert [event for event in events if isinstance(event, MediaProgress)][-1] == MediaProgress(
        2, 2
    )
    first, words, last = server.bodies[0]["messages"][0]["content"]
    assert words == {"type": "text", "text": "What is it?"}
    kind, _, data = first["image_url"]["url"].partition(";base64,")
    assert kind == "data:image/jpeg"
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    width, height = shown.size
    assert width % 48 == height % 48 == 0
    assert width * height // 48**2 <= 280  # what a server gives a picture, unless it says more
    red, green, blue = shown.getpixel((10, 10))  # type: ignore[misc]
    assert red > 240
    assert green < 15
    assert blue < 15
    assert last["input_audio"]["format"] == "wav"
    with wave.open(io.BytesIO(base64.b64decode(last["input_audio"]["data"]))) as clip:
        assert (clip.getframerate(), clip.getnchannels(), clip.getsampwidth()) == (16000, 1, 2)
        assert clip.getnframes() == 8000
    assert server.bodies[1]["messages"][0]["content"][0] == first
    assert size.is_estimate
    assert 200 < size.media_tokens < 300


async def test_a_picture_with_few_colours_is_sent_without_loss(
    local: EngineClient, tmp_path: Path
) -> None:
    path = tmp_path / "flat.png"
    Image.new("RGB", (480, 480), (0, 0, 255)).save(path)
    media = Media("image", "ab" * 32, str(path), "flat.png", 280, 480, 480)
    async with (
        scripted_server() as server,
        routed(local, studio(server)) as (engine, _),
    ):
        server.reply(said("ok"))
        await engine.load(STUDIO)
        await answer(engine, asking("What is it?", media))
    url = server.bodies[0]["messages"][0]["content"][0]["image_url"]["url"]
    assert url.startswith("data:image/png;base64,")


async def test_a_file_that_is_damaged_is_not_asked_about(
    local: EngineClient, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    media = Media("image", "cd" * 32, str(path), "a.png", 280, 48, 48)
    async with (
        scripted_server() as server,
        routed(local, studio(server)) as (engine, _),
    ):
        await engine.load(STUDIO)
        with pytest.raises(DamagedFileError, match="a\\.png"):
            await answer(engine, asking("What is it?", media))
    assert not server.bodies


async def test_a_server_that_does_not_answer_leaves_the_model_where_it_is(
    local: EngineClient, tiny_model: Path
) -> None:
    async with scripted_server() as server:
        pass  # nothing listens there any more
    async with routed(local, studio(server)) as (engine, states):
        await engine.load(tiny_model)
        before = engine.state
        with pytest.raises(UnreachableServerError):
            await engine.load(STUDIO)
        assert engine.state == before
        states.clear()
        await engine.load(tiny_model)  # as a failed switch does
        assert not states  # nothing was loaded anew
        assert await answer(engine, asking("Who are you?"))


async def test_a_server_of_no_settings(local: EngineClient) -> None:
    async with routed(local) as (engine, _):
        with pytest.raises(SettingsError, match="no server “studio”"):
            await engine.load(STUDIO)


async def test_the_app_begins_with_a_server_that_comes_up_later(local: EngineClient) -> None:
    async with scripted_server() as server:
        listing = server.answers.pop("/v1/models")
        async with routed(local, studio(server)) as (engine, states):
            failed = asyncio.Event()
            engine.watch(lambda state: failed.set() if state.phase == "failed" else None)
            await engine.start(STUDIO)
            assert phase_of(engine) == "loading"
            await failed.wait()
            assert "studio" in engine.state.problem
            with pytest.raises(ModelError):
                await engine.count(asking("Hello?"))
            server.answers["/v1/models"] = listing
            server.reply(said("Here I am."))
            assert await answer(engine, asking("Hello?")) == "Here I am."
            assert phase_of(engine) == "ready"
    assert states


async def test_a_question_waits_for_a_server_that_is_still_asked(local: EngineClient) -> None:
    async with (
        scripted_server() as server,
        routed(local, studio(server)) as (engine, _),
    ):
        server.reply(said("Hi."))
        await engine.start(STUDIO)
        assert await answer(engine, asking("Hello?")) == "Hi."
        assert [request.path for request in server.requests].count("/v1/models") == 1


async def test_cancelling_reaches_the_server(local: EngineClient) -> None:
    async with (
        scripted_server() as server,
        routed(local, studio(server)) as (engine, _),
    ):
        pause = Pause()
        server.reply([pause])
        await engine.load(STUDIO)
        asked = asyncio.ensure_future(answer(engine, asking("Hello?")))
        await pause.reached.wait()
        assert phase_of(engine) == "generating"
        await engine.cancel()
        assert not await asked
        await server.hung_up.wait()
        assert phase_of(engine) == "ready"


async def test_two_servers_do_not_mix(local: EngineClient) -> None:
    async with scripted_server() as one, scripted_server() as two:
        one.reply(said("one"))
        two.reply(said("two"))
        async with routed(local, studio(one), studio(two, "attic")) as (engine, _):
            for name, said_there in (("studio", "one"), ("attic", "two"), ("studio", "one")):
                await engine.load(Path(f"server:{name}"))
                assert await answer(engine, asking("Which?")) == said_there
            assert not await engine.suspend()
            await engine.unload()
            assert engine.state.model is None
