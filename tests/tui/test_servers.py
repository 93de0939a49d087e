"""A server among the models of the app: chosen, marked, left again, and what is said of faults."""

from __future__ import annotations

import tomllib
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gemma_tui.cli.engine_place import engine_of
from gemma_tui.conversation import MessageState
from gemma_tui.hub.on_disk import real_path
from gemma_tui.paths import builtin_model
from gemma_tui.tui.screens.models import ModelScreen
from gemma_tui.tui.widgets.model_table import ModelTable
from tests.remote.scripted_server import Pause, json_response, said, scripted_server
from tests.tui.conftest import Running, running_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gemma_tui.paths import Paths
    from tests.scripted_engine import ScriptedEngine

STAR = Path(__file__).parents[2] / "assets" / "examples" / "blue-star.png"


@asynccontextmanager
async def opened(
    paths: Paths, settings: str, size: tuple[int, int] = (100, 40), begun: bool = True
) -> AsyncIterator[Running]:
    """The app with the real engine and the servers of these settings."""
    paths.config.mkdir(parents=True, exist_ok=True)
    paths.settings.write_text(settings)
    engine = engine_of(paths, paths.engine_log, None)
    try:
        playing = cast("ScriptedEngine", engine)  # the app takes any engine
        async with running_app(paths, playing, size, begun=begun, arguments={}) as running:
            yield running
    finally:
        await engine.close()


async def choose(running: Running, key: str) -> None:
    """Choose a model in the list, by its folder or server."""
    await running.pilot.press("ctrl+l")
    await running.until(lambda: isinstance(running.app.screen, ModelScreen), "the models")
    table = running.app.screen.query_one(ModelTable)
    await running.until(lambda: key in [option.id for option in table.options], key)
    table.choose(key)
    await running.pilot.press("enter")


async def settled(running: Running, name: str) -> None:
    switch = running.app.chat_screen.choosing.models
    await running.until(
        lambda: (
            running.engine.state.model is not None
            and running.engine.state.model.name == name
            and not switch.is_switching
        ),
        name,
    )


async def answered(running: Running, count: int) -> None:
    """Wait until the last of so many messages is complete."""

    def is_there() -> bool:
        last = running.app.chat_screen._page.last
        return (
            running.app.chat_screen.desk.turn is None
            and last is not None
            and last.state is MessageState.COMPLETE
        )

    await running.until(is_there, "an answer")
    assert len(await running.branch()) == count


async def test_a_conversation_goes_to_a_server_and_comes_back(paths: Paths) -> None:
    async with scripted_server() as server:
        server.reply(said("A blue ", "star, from afar."))
        settings = f'[servers.studio]\nurl = "{server.url}"\nsees = true\ncontext = 4096\n'
        async with opened(paths, settings) as running:
            await settled(running, "built-in demo")
            await running.send("hello")
            await answered(running, 2)
            assert not server.requests
            await choose(running, "server:studio")
            remote = "gemma at studio (remote)"
            await settled(running, remote)
            await running.shown(f"From here on {remote} answers.")
            await running.shown("studio this whole")
            assert running.status.startswith("● remote · ready")
            await running.drop(STAR)
            await running.send("What is it?")
            await answered(running, 4)
            await running.shown("A blue star, from afar.")
            await running.shown("answers; before it was")
            sent = server.bodies[0]["messages"]
            assert [message["role"] for message in sent] == ["user", "assistant", "user"]
            assert "image_url" in str(sent[2]["content"])
            saved = tomllib.loads(paths.settings.read_text())
            assert saved["model"]["model"] == "server:studio"
            assert "known_models" not in saved["model"]
            before = len(server.requests)
            await choose(running, real_path(builtin_model()))
            await settled(running, "built-in demo")
            await running.send("What is this?")
            await answered(running, 6)
            assert len(server.requests) == before
            writers = [m.model for m in await running.branch() if m.model]
            assert writers == ["built-in demo", remote, "built-in demo"]


async def test_the_app_starts_with_a_server_and_says_where_it_answers(paths: Paths) -> None:
    async with scripted_server() as server:
        pause = Pause()
        first, *rest = said("Hello there.")
        server.reply([first, pause, *rest])
        settings = (
            f'[model]\nmodel = "server:studio"\n[app]\ntitles = false\n'
            f'[servers.studio]\nurl = "{server.url}"\nsees = false\nhears = false\ncontext = 4096\n'
        )
        for size in ((60, 18), (200, 60)):
            async with opened(paths, settings, size) as running:
                await settled(running, "gemma at studio (remote)")
                await running.pilot.press("ctrl+n")
                await running.type("Hello?")
                await running.shown("about ")
                await running.pilot.press("enter")
                await running.until(pause.reached.is_set, "the question")
                await running.until(lambda: "remote · " in running.status, "the mark")
                pause.release()
                await running.shown("Hello there.")


async def test_a_server_that_is_away_is_said_and_the_model_stays(paths: Paths) -> None:
    async with scripted_server() as server:
        settings = f'[servers.studio]\nurl = "{server.url}"\n'
        server.answers["/v1/models"] = lambda _: [json_response({"error": "no\x1b[2Jkey"}, 401)]
        async with opened(paths, settings) as running:
            await settled(running, "built-in demo")
            await choose(running, "server:studio")
            await running.until(lambda: "wants a key" in running.problem, "the reason")
            assert "\x1b" not in running.problem
            await settled(running, "built-in demo")
            await running.send("hello")
            await answered(running, 2)


async def test_a_conversation_with_a_server_nobody_knows_is_not_sent_there(paths: Paths) -> None:
    async with opened(paths, "") as running:
        await settled(running, "built-in demo")
        preferences = running.app.chat_screen.choosing.preferences
        await preferences.set("model", "server:elsewhere", "conversation")
        assert preferences.foreign_model == "server:elsewhere"
        await running.send("hello")
        await answered(running, 2)
        await running.shown("none of yours")


async def test_the_list_says_what_a_remote_model_gets(paths: Paths) -> None:
    settings = '[servers.studio]\nurl = "http://192.168.1.20:8000"\nsees = true\n'
    for size in ((60, 18), (100, 30), (200, 60)):
        async with opened(paths, settings, size) as running:
            await running.pilot.press("ctrl+l")
            await running.shown("studio (remote)")
            running.app.screen.query_one(ModelTable).choose("server:studio")
            await running.shown("studio this whole")
            await running.shown("remote: http://192.168.1.20:8000/v1")


async def test_a_server_that_is_away_at_the_start_can_be_stood_in_for(paths: Paths) -> None:
    async with scripted_server() as server:
        listing = server.answers.pop("/v1/models")
        server.reply(said("Back again."))
        settings = (
            f'[model]\nmodel = "server:studio"\n[app]\ntitles = false\n'
            f'[servers.studio]\nurl = "{server.url}"\n'
        )
        async with opened(paths, settings, begun=False) as running:
            await running.until(lambda: "studio" in running.problem, "the reason")
            await running.until(lambda: "F12" in running.problem, "what to do")
            await running.pilot.press("f12")
            await settled(running, "built-in demo")
            await running.send("hello")
            await answered(running, 2)
            assert not server.bodies
            server.answers["/v1/models"] = listing
            await choose(running, "server:studio")
            await settled(running, "gemma at studio (remote)")
            await running.send("hello again")
            await answered(running, 4)
            await running.shown("Back again.")
