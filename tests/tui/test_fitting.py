"""Another model: pages, lines and frames that nobody chose are as many as fit its context."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.conversation import Usage
from gemma_tui.documents import estimated_tokens
from gemma_tui.engine.interface import EngineState
from gemma_tui.generation import Finished, MediaInfo
from gemma_tui.preprocessing.frame_times import frame_segments
from gemma_tui.videos import frames_of
from tests.scripted_engine import ScriptedEngine
from tests.tui.test_documents import pages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gemma_tui.generation import ModelInfo
    from tests.tui.conftest import Opener, Running

FILM = MediaInfo("image", "video/mp4", 640, 480, 16_000 * 60, 70, "frames", frame_segments(60_000))


def with_files(engine: ScriptedEngine, folder: Path) -> tuple[Path, Path, Path]:
    engine.media |= {"report.pdf": pages(60), "film.mp4": FILM}
    found = folder / "report.pdf", folder / "film.mp4", folder / "log.md"
    for path in found:
        path.write_bytes(f"{path.name}\n".encode() * 4_000)
    return found


def sizes(running: Running) -> list[int]:
    """Pages, frames, characters."""
    report, film, log = running.tray.attachments
    sent = sum(part.length for part in log.segments) or log.size_bytes
    return [len(report.segments), len(frames_of(film)), sent]


def model(context: int) -> ModelInfo:
    return replace(ScriptedEngine().model, context_length=context, is_demo=False)


async def switched(running: Running, context: int) -> None:
    running.engine.set_state(EngineState("ready", model(context)))
    await running.until(lambda: not running.tray.pending, "all fitted")


async def test_what_nobody_chose_fits_whichever_model_answers(
    open_app: Opener, tmp_path: Path
) -> None:
    engine = ScriptedEngine(model=model(131_072))
    files = with_files(engine, tmp_path)
    async with open_app(engine, size=(120, 30)) as running:
        await running.drop(*files)
        large = sizes(running)
        assert large == [60, 60, 4_000 * len("log.md\n")]
        await switched(running, 8_192)
        small = sizes(running)
        assert all(0 < one < other for one, other in zip(small, large, strict=True))
        assert estimated_tokens(running.tray.attachments) <= 8_192
        await running.shown(f"{small[1]} frames, ")  # how far they lie apart
        await switched(running, 131_072)
        assert sizes(running) == large


async def test_what_was_chosen_stays(open_app: Opener, tmp_path: Path) -> None:
    engine = ScriptedEngine(model=model(131_072))
    files = with_files(engine, tmp_path)
    async with open_app(engine, size=(120, 30)) as running:
        await running.drop(*files)
        for place, chosen in enumerate(("1-40", "1/2", "1-3000")):
            running.tray.cursor = place
            await running.send(f"/range {chosen}")
            await running.until(lambda: not running.composer.text, "the command")
        await running.until(lambda: sizes(running)[2] == 3_000 * len("log.md\n"), "the lines")
        chosen_sizes = sizes(running)
        assert chosen_sizes[:2] == [40, 30]
        await switched(running, 8_192)
        assert sizes(running) == chosen_sizes


async def test_an_enter_waits_until_the_draft_fits(open_app: Opener, tmp_path: Path) -> None:
    engine = ScriptedEngine(ready=False)
    files = with_files(engine, tmp_path)
    async with open_app(engine) as running:
        await running.until(lambda: engine.state.phase == "ready", "the start")
        engine.set_state(EngineState("loading"))
        await running.drop(files[0])
        assert len(running.tray.attachments[0].segments) == 20  # nobody knew the context
        engine.set_state(EngineState("ready", model(131_072)))
        await running.send("What does it say?")
        await running.until(lambda: engine.requests, "the question")
        assert len(engine.requests[0].media) == 60


async def test_what_was_attached_without_a_model_fits_the_same_one_that_comes_back(
    open_app: Opener, tmp_path: Path
) -> None:
    engine = ScriptedEngine(model=model(8_192))
    files = with_files(engine, tmp_path)
    async with open_app(engine, size=(120, 30)) as running:
        await running.drop(files[0])
        fitted = running.tray.attachments
        await running.send("/detach")
        await running.until(lambda: not running.tray.attachments, "an empty draft")
        assert await engine.suspend()
        await running.drop(files[0])
        await running.until(lambda: engine.state.phase == "ready", "the model, for the draft")
        await running.until(lambda: not running.tray.pending, "all fitted")
        assert running.tray.attachments == fitted
        assert len(fitted[0].segments) == 5


async def test_what_was_attached_under_a_borrowed_model_fits_the_one_that_comes_back(
    open_app: Opener, tmp_path: Path
) -> None:
    own, other = model(131_072), model(8_192)
    engine = ScriptedEngine(model=own, ready=False)
    files = with_files(engine, tmp_path)
    async with open_app(engine, size=(120, 30)) as running:
        await running.until(lambda: engine.state.phase == "ready", "the start")
        switch = running.app.chat_screen.choosing.models
        engine.model = other
        async with switch.borrowed(tmp_path, "other", "listening"):
            await running.drop(*files)
            small = sizes(running)
            engine.model = own
        await running.until(lambda: not running.tray.pending, "all fitted")
        assert small[0] < sizes(running)[0] == 60


async def test_what_comes_after_the_page_turned_fits_the_conversation_it_was_meant_for(
    open_app: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = 6_000
    engine = ScriptedEngine([Finished("stop", Usage(prompt_tokens=used))], model=model(8_192))
    first, second = tmp_path / "first.md", tmp_path / "second.md"
    first.write_text("short")
    second.write_text("a line\n" * 4_000)
    looked, turned, probe = asyncio.Event(), asyncio.Event(), engine.probe

    async def slow(path: Path, name: str) -> MediaInfo:
        looked.set()
        await turned.wait()
        return await probe(path, name)

    async with open_app(engine) as running:
        await running.send("hello")
        await running.until(lambda: running.app.chat_screen.desk.turn is None and engine.requests)
        monkeypatch.setattr(engine, "probe", slow)
        await running.paste(f"{first} {second}")
        await looked.wait()
        await running.pilot.press("ctrl+n")
        await running.until(lambda: running.app.chat_screen._page.conversation_id is None)
        turned.set()
        await running.until(lambda: not running.tray.pending, "both files")
        _, kept = (await running.store.load_draft(1)).attachments
        sent = sum(part.length for part in kept.segments)
        assert 0 < sent <= (8_192 - used) * 3 // 4
