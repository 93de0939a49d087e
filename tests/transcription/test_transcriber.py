"""Clip by clip: seams, failures, pauses and going on, with an engine that says its scripts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import (
    CapabilityError,
    DamagedFileError,
    EngineStoppedError,
    GemmaError,
    LimitError,
)
from gemma_tui.generation import Finished
from gemma_tui.sound_clip import SoundClip
from gemma_tui.transcription.clip_text import ClipBegun, ClipText
from gemma_tui.transcription.journal import Journal
from gemma_tui.transcription.prompt import Wish
from gemma_tui.transcription.transcriber import Sound, Transcriber, check_hearing
from tests.scripted_engine import MODEL, USAGE, Hold, ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gemma_tui.engine.media_requests import FindClip
    from tests.scripted_engine import Step

SECOND = 16_000


def clip(start: int, stop: int, next_start: int = 0, *, is_silent: bool = False) -> SoundClip:
    heard = (0, 0) if is_silent else (start * SECOND, stop * SECOND)
    return SoundClip(start * SECOND, (stop - start) * SECOND, next_start * SECOND, *heard)


def engine_with(clips: Sequence[SoundClip], *scripts: Sequence[Step]) -> ScriptedEngine:
    engine = ScriptedEngine(*scripts)
    engine.clips = {found.start: found for found in clips}
    return engine


def sound_in(folder: Path, seconds: int = 80) -> Sound:
    return Sound(folder / "talk.wav", "talk.wav", "ab" * 32, seconds * SECOND)


def journal_in(folder: Path) -> Journal:
    return Journal(folder / "journals", ("talk",))


async def texts(engine: ScriptedEngine, folder: Path, seconds: int = 80) -> list[ClipText]:
    run = Transcriber(engine, Wish()).run(sound_in(folder, seconds), journal_in(folder))
    return [event async for event in run if isinstance(event, ClipText)]


async def test_each_clip_is_asked_for_as_documented(tmp_path: Path) -> None:
    engine = engine_with([clip(0, 25, 25), clip(25, 40)], ["one two"], ["three"])
    found = await texts(engine, tmp_path)
    assert [(c.start // SECOND, c.stop // SECOND, c.text) for c in found] == [
        (0, 25, "one two"),
        (25, 40, "three"),
    ]
    request = engine.requests[1]
    (message,) = request.messages
    text, media = message.parts
    assert text.text == Wish().prompt  # type: ignore[union-attr]
    assert media == request.media[0]
    assert (request.media[0].start, request.media[0].length) == (25 * SECOND, 15 * SECOND)
    assert not request.options.thinking
    assert request.options.sampling.temperature == 0


async def test_words_of_an_overlap_are_said_once_but_not_those_across_a_pause(
    tmp_path: Path,
) -> None:
    engine = engine_with(
        [clip(0, 29, 28), clip(28, 50, 50), clip(50, 70)],
        ["one two three"],
        ["two three four"],
        ["four five"],
    )
    assert [c.text for c in await texts(engine, tmp_path)] == ["one two three", "four", "four five"]


async def test_silence_is_not_asked_about(tmp_path: Path) -> None:
    engine = engine_with([clip(0, 29, 29, is_silent=True), clip(29, 40)], ["one"])
    assert [c.text for c in await texts(engine, tmp_path)] == ["", "one"]
    assert len(engine.requests) == 1


async def test_it_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    clips = [clip(0, 29, 28), clip(28, 50, 50), clip(50, 70)]
    hold = Hold()
    engine = engine_with(clips, ["one two"], ["two three"], [hold])
    run = asyncio.create_task(texts(engine, tmp_path))
    await asyncio.wait_for(hold.reached.wait(), 30)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    again = engine_with(clips[2:], ["four"])
    found = await texts(again, tmp_path)
    assert [c.text for c in found] == ["one two", "three", "four"]
    assert len(again.requests) == 1


async def test_a_clip_that_fails_is_named_and_tried_again_the_next_time(tmp_path: Path) -> None:
    clips = [clip(0, 29, 29), clip(29, 50, 50), clip(50, 70)]
    engine = engine_with(clips, ["one"], [LimitError("It is too short.")], ["three"])
    found = await texts(engine, tmp_path)
    assert [(c.text, c.problem) for c in found] == [
        ("one", ""),
        ("", "It is too short."),
        ("three", ""),
    ]
    again = engine_with(clips, ["two"])
    assert [c.text for c in await texts(again, tmp_path)] == ["one", "two", "three"]
    assert len(again.requests) == 1


async def test_a_loop_is_kept_and_named(tmp_path: Path) -> None:
    engine = engine_with([clip(0, 20)], ["no no no", Finished("repetition", USAGE)])
    (found,) = await texts(engine, tmp_path)
    assert found.text == "no no no"
    assert found.problem == (
        "From 0:00 to 0:20 the model said the same over and over, so it was ended."
    )


async def test_what_loops_is_asked_for_once_more_with_other_words(tmp_path: Path) -> None:
    loop: list[Step] = ["no no no", Finished("repetition", USAGE)]
    engine = engine_with([clip(0, 20)], loop, ["no more"])
    (found,) = await texts(engine, tmp_path)
    assert (found.text, found.problem) == ("no more", "")
    assert [request.options.sampling.temperature for request in engine.requests] == [0, None]


async def test_an_engine_that_stopped_while_it_looked_is_asked_once_more(tmp_path: Path) -> None:
    class Restarting(ScriptedEngine):
        has_stopped = False

        async def find_clip(self, request: FindClip) -> SoundClip:
            if not self.has_stopped:
                self.has_stopped = True
                raise EngineStoppedError("The engine process stopped unexpectedly.")
            return await super().find_clip(request)

    engine = Restarting(["one"])
    engine.clips = {0: clip(0, 20)}
    (found,) = await texts(engine, tmp_path)
    assert (found.text, found.problem) == ("one", "")


async def test_an_engine_that_stopped_is_asked_once_more(tmp_path: Path) -> None:
    error = EngineStoppedError("The engine process stopped unexpectedly.")
    engine = engine_with([clip(0, 20)], [error], ["one"])
    (found,) = await texts(engine, tmp_path)
    assert (found.text, found.problem) == ("one", "")


async def test_clip_after_clip_that_fails_ends_it(tmp_path: Path) -> None:
    clips = [clip(s, s + 20, s + 20) for s in range(0, 200, 20)]
    engine = engine_with(clips, [LimitError("It is too short.")])
    with pytest.raises(LimitError):
        await texts(engine, tmp_path, 300)
    assert len(engine.requests) == 3


async def test_what_is_there_of_a_cut_off_sound_is_written(tmp_path: Path) -> None:
    cut = DamagedFileError("“talk.wav” is cut off.")
    engine = engine_with([clip(0, 25, 25)], ["one"], ["two"], [LimitError("Nothing there.")])
    engine.clips |= {25 * SECOND: cut, 54 * SECOND: cut}
    found = await texts(engine, tmp_path, 300)
    assert [(c.start // SECOND, c.stop // SECOND, c.text, c.problem) for c in found] == [
        (0, 25, "one", ""),
        (25, 54, "two", cut.message),
        (54, 300, "", cut.message),
    ]


async def test_a_pause_gives_the_engine_free_and_the_clip_is_begun_again(tmp_path: Path) -> None:
    hold = Hold()
    engine = engine_with([clip(0, 25, 25), clip(25, 40)], ["on", hold], ["one"], ["two"])
    transcriber = Transcriber(engine, Wish(), is_aside=True)
    events = transcriber.run(sound_in(tmp_path), journal_in(tmp_path))
    assert isinstance(await anext(events), ClipBegun)
    first = asyncio.ensure_future(anext(events))
    await asyncio.wait_for(hold.reached.wait(), 30)
    transcriber.pause()
    transcriber.resume()
    found = await asyncio.wait_for(first, 30)
    assert engine.closed_early == 1
    assert isinstance(found, ClipText)
    assert found.text == "one"
    assert all(request.is_aside for request in engine.requests)
    await events.aclose()


async def test_a_model_that_cannot_hear_ends_it(tmp_path: Path) -> None:
    engine = engine_with([clip(0, 25, 25)], [CapabilityError("It cannot hear.")])
    with pytest.raises(CapabilityError):
        await texts(engine, tmp_path)
    check_hearing(MODEL)


@pytest.mark.parametrize("error", [GemmaError("Something."), LimitError("Else.")])
async def test_nothing_is_left_running(tmp_path: Path, error: GemmaError) -> None:
    engine = engine_with([clip(0, 25)], [error])
    (found,) = await texts(engine, tmp_path)
    assert found.problem == error.message
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
