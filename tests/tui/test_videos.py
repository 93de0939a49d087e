"""Videos in the composer: chips, frame rates, sound, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from gemma_tui.conversation import Segment
from gemma_tui.generation import MediaInfo, MediaProgress
from gemma_tui.preprocessing.frame_times import frame_segments
from gemma_tui.tui.screens.path import PathScreen
from gemma_tui.videos import clips_of, frames_of
from tests.scripted_engine import MODEL, Hold, ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running

CLIP = Segment("audio", 0, 16_000 * 20)


@pytest.fixture
def engine() -> ScriptedEngine:
    found = ScriptedEngine()
    segments = (*frame_segments(20_000), CLIP)
    found.media["film.mp4"] = MediaInfo(
        "image", "video/mp4", 640, 480, 16_000 * 20, 70, "frames", segments
    )
    return found


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film" * 1000)
    return path


def notes(running: Running) -> list[str]:
    """What is said in the corner, however it is broken into lines."""
    return [note.message for note in running.app._notifications]


async def test_a_chip_tells_frames_sound_and_tokens(
    open_app: Opener, engine: ScriptedEngine, film: Path
) -> None:
    async with open_app(engine, size=(140, 30)) as running:
        await running.drop(film)
        await running.shown("▶ film.mp4 · 4 kB · 70 a frame at most")
        await running.shown("20 frames + 1 clip of 0:20 · 1,760 tokens")
        await running.pilot.press("f4")
        await running.shown("20 frames + 1 clip of 0:20 · 3,100 tokens")  # 130 each at 140
        await running.send("What happens?")
        await running.shown("▶ film.mp4 · 20 frames + 1 clip of 0:20")
        (request,) = engine.requests
        assert [item.stamp for item in request.media][:2] == ["00:00 ", " 00:01 "]
        assert request.media[-1].kind == "audio"


async def test_the_frame_rate_is_a_setting(
    open_app: Opener, engine: ScriptedEngine, film: Path
) -> None:
    async with open_app(engine, environ={"GEMMA_TUI_FRAME_RATE": "1/5"}) as running:
        await running.drop(film)
        await running.shown("4 frames + 1 clip of 0:20")


async def test_rate_and_sound_are_chosen_on_the_chip_and_by_command(
    open_app: Opener, engine: ScriptedEngine, film: Path
) -> None:
    async with open_app(engine) as running:
        await running.drop(film)
        running.tray.focus()
        await running.pilot.press("r")
        await running.until(lambda: isinstance(running.app.screen, PathScreen), "the dialogue")
        await running.shown("How many frames a second of “film.mp4” are sent?")
        running.app.screen.query_one(Input).value = "1/2 silent"
        await running.pilot.press("enter")
        await running.shown("10 frames of 0:20 · 630 tokens")
        await running.send("/frames sound")
        await running.until(lambda: clips_of(running.tray.attachments[0]) == (CLIP,), "its sound")
        assert len(frames_of(running.tray.attachments[0])) == 10
        await running.send("/frames many")
        await running.until(lambda: "no number of frames a second" in running.problem, "a sentence")


async def test_what_is_left_out_is_said(
    open_app: Opener, engine: ScriptedEngine, film: Path
) -> None:
    segments = frame_segments(7_200_000)
    engine.media["film.mp4"] = MediaInfo(
        "image", "video/mp4", 640, 480, 16_000 * 7200, segments=segments
    )
    async with open_app(engine) as running:
        await running.drop(film)
        await running.shown("60 frames of 2:00:00")
        (said,) = notes(running)
        assert "60 frames, 120 s apart" in said
        assert "Its sound is left out" in said


async def test_a_model_that_cannot_hear_gets_the_frames_and_says_so(
    open_app: Opener, film: Path
) -> None:
    engine = ScriptedEngine(model=replace(MODEL, name="Gemma 4 31B", can_hear=False))
    segments = (*frame_segments(2000), CLIP)
    engine.media["film.mp4"] = MediaInfo("image", "video/mp4", 640, 480, 32_000, segments=segments)
    async with open_app(engine) as running:
        await running.drop(film)
        assert notes(running) == ["Gemma 4 31B cannot hear: the sound of “film.mp4” is not sent."]
        await running.send("What happens?")
        await running.until(lambda: engine.requests, "the question")
        assert [item.kind for item in engine.requests[0].media] == ["image", "image"]


async def test_it_is_said_how_far_frames_and_sound_are(
    open_app: Opener, engine: ScriptedEngine, film: Path
) -> None:
    hold = Hold()
    engine.scripts.clear()
    engine.scripts.append([MediaProgress(20, 21), hold, "Seen."])
    async with open_app(engine, size=(60, 18)) as running:
        await running.drop(film)
        await running.send("What happens?")
        await running.until(lambda: "reading part 21 of 21" in running.status, "the sound")
        hold.release()
        await running.shown("Seen.")
