"""A sound written down in the app: on its chip, beside replies, in the draft it was meant for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import DamagedFileError, LimitError
from gemma_tui.generation import MediaInfo, PromptSize
from gemma_tui.sound_clip import SoundClip
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.tui.prompt_cost import excess_sentence
from tests.scripted_engine import MODEL, Hold, ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.scripted_engine import Step
    from tests.tui.conftest import Opener, Running

SECOND = 16_000
TEXT = "memo (transcript).txt"


def engine_with(*scripts: Sequence[Step], seconds: int = 50) -> ScriptedEngine:
    """Hears two clips in `memo.wav`."""
    engine = ScriptedEngine(*scripts)
    engine.media["memo.wav"] = MediaInfo("audio", "audio/wav", sample_count=seconds * SECOND)
    engine.media[TEXT] = MediaInfo("text", "text/plain")
    middle = 25 * SECOND
    engine.clips = {
        0: SoundClip(0, middle, middle, 0, middle),
        middle: SoundClip(middle, middle, 0, middle, 2 * middle),
    }
    return engine


def written(running: Running, paths: Paths) -> str:
    """What the text says that is attached."""
    (attachment,) = [item for item in running.tray.attachments if item.kind == "text"]
    return BlobStore(paths.blobs).path_of(attachment.sha256).read_text()


async def test_a_sound_becomes_a_text_and_comes_back(
    open_app: Opener, sound: Path, paths: Paths
) -> None:
    hold = Hold()
    async with open_app(engine_with(["one two", hold], ["three"])) as running:
        await running.drop(sound)
        await running.shown("0:50 · ~3 clips · ~1,250 tokens")
        running.tray.focus()
        await running.pilot.press("t")
        await running.shown("writing down clip 1 of ~3")
        hold.release()
        await running.until(lambda: running.chips() == [TEXT], "the text")
        await running.shown("“memo.wav” is written down.")
        assert all(request.is_aside for request in running.engine.requests)
        assert written(running, paths) == "one two\nthree\n"
        await running.pilot.press("u")
        assert set(running.chips()) == {TEXT, "memo.wav"}


async def test_it_is_stopped_by_the_same_key_and_goes_on_later(
    open_app: Opener, sound: Path
) -> None:
    hold = Hold()
    async with open_app(engine_with(["one"], [hold], ["two"])) as running:
        await running.drop(sound)
        await running.send("/transcribe")
        await running.shown("writing down clip 2")
        await running.send("/transcribe")
        await running.until(lambda: "writing down" not in running.text(), "the end")
        assert running.chips() == ["memo.wav"]
        await running.send("/transcribe english")
        await running.until(lambda: TEXT in running.chips(), "the text")


async def test_what_is_finished_is_not_written_again(open_app: Opener, sound: Path) -> None:
    hold = Hold()
    async with open_app(engine_with(["one"], [hold], ["two"])) as running:
        await running.drop(sound)
        await running.send("/transcribe")
        await running.until(hold.reached.is_set, "the second clip")
        await running.send("/transcribe")
        await running.until(lambda: "writing down" not in running.text(), "the end")
        await running.send("/transcribe")
        await running.until(lambda: TEXT in running.chips(), "the text")
        assert len(running.engine.requests) == 3


async def test_it_goes_on_after_the_app_was_left(
    open_app: Opener, sound: Path, paths: Paths
) -> None:
    hold = Hold()
    async with open_app(engine_with(["Eins."], [hold])) as running:
        await running.drop(sound)
        await running.send("/transcribe german --translate English")
        await running.until(hold.reached.is_set, "the second clip")
        drafts = running.app.chat_screen._drafts
        await running.until(lambda: not drafts.is_dirty, "the chip on disk")
    async with open_app(engine_with(["Zwei.\nEnglish: Two."])) as running:
        left = "“memo.wav” was being written down the last time, and 1 clip is finished"
        said = running.app._notifications
        await running.until(lambda: any(left in note.message for note in said), left)
        running.tray.focus()
        await running.pilot.press("t")
        await running.until(lambda: TEXT in running.chips(), "the text")
        (request,) = running.engine.requests
        (message,) = request.messages
        assert "translate it into English" in str(message.parts[0])
        assert written(running, paths) == "Eins.\nTwo.\n"
        assert not list(paths.transcripts.iterdir())
    async with open_app(engine_with(["never"])) as running:
        assert "was being written down" not in running.text()


async def test_a_question_goes_first(open_app: Opener, sound: Path, paths: Paths) -> None:
    hold = Hold()
    scripts: list[Sequence[Step]] = [["half", hold], ["The answer."], ["one"], ["two"]]
    async with open_app(engine_with(*scripts)) as running:
        await running.drop(sound)
        await running.send("/transcribe")
        await running.until(hold.reached.is_set, "the first clip")
        running.tray.focus()
        await running.pilot.press("delete")  # the chip may go, the work goes on
        await running.shown("memo.wav · writing down clip 1")
        await running.send("hello")
        await running.shown("The answer.")
        await running.until(lambda: running.chips() == [TEXT], "the text")
        asked = [request.is_aside for request in running.engine.requests]
        assert asked == [True, False, True, True]
        assert written(running, paths) == "one\ntwo\n"


async def test_the_text_goes_to_the_conversation_it_was_meant_for(
    open_app: Opener, sound: Path
) -> None:
    hold = Hold()
    async with open_app(engine_with(["Hi."], ["one", hold], ["two"])) as running:
        await running.send("hello")
        await running.shown("Hi.")
        await running.drop(sound)
        await running.send("/transcribe")
        await running.until(hold.reached.is_set, "the first clip")
        await running.pilot.press("ctrl+n")
        await running.until(lambda: not running.tray.attachments, "the new page")
        hold.release()
        await running.shown("“memo.wav” is written down")
        draft = await running.store.load_draft(1)
        assert [item.name for item in draft.attachments] == [TEXT]
        assert not (await running.store.load_draft(None)).attachments


async def test_the_last_sound_of_the_conversation_can_be_written_down(
    open_app: Opener, sound: Path
) -> None:
    async with open_app(engine_with(["Heard."], ["one"], ["two"])) as running:
        await running.drop(sound)
        await running.send("what is said?")
        await running.shown("Heard.")
        assert running.engine.requests[0].media[1].start == 25 * SECOND
        await running.send("/transcribe")
        await running.until(lambda: running.chips() == [TEXT], "the text")


async def test_a_part_of_it(open_app: Opener, sound: Path) -> None:
    async with open_app(engine_with(["one"], seconds=10_800)) as running:
        await running.drop(sound)
        await running.shown("3:00:00 · ~491 clips · ~270,000 tokens")
        await running.send("what is said?")
        too_long = "lasts 3:00:00, ~270,000 tokens; the context of scripted holds 8,192."
        await running.until(lambda: too_long in running.problem, "the figures")
        assert not running.engine.requests
        running.composer.clear()
        await running.send("/range 10:00-10:20")
        await running.shown("10:00–10:20 of 3:00:00 · 1 clip · 500 tokens")
        start, stop = 600 * SECOND, 620 * SECOND
        running.engine.clips = {start: SoundClip(start, stop - start, 0, start, stop)}
        await running.send("/transcribe")
        await running.until(lambda: running.chips() == [TEXT], "the text")
        (media,) = running.engine.requests[0].media
        assert (media.start, media.length) == (start, stop - start)


@pytest.mark.parametrize(
    ("can_hear", "sentence"),
    [
        (
            False,
            "scripted cannot hear, so it cannot write down what is said. No model on this disk",
        ),
        (True, "There is no sound here that could be written down."),
    ],
)
async def test_why_not(open_app: Opener, sound: Path, can_hear: bool, sentence: str) -> None:
    engine = engine_with(["one"])
    engine.model = replace(MODEL, can_hear=can_hear)
    engine.set_state(replace(engine.state, model=engine.model))
    async with open_app(engine, size=(120, 30)) as running:
        if not can_hear:
            await running.drop(sound)
        await running.send("/transcribe")
        await running.shown(sentence)
        assert not running.engine.requests


async def test_a_clip_that_fails_is_told_and_the_rest_is_kept(
    open_app: Opener, sound: Path, paths: Paths
) -> None:
    async with open_app(engine_with([LimitError("Its clip is too short.")], ["two"])) as running:
        await running.drop(sound)
        await running.send("/transcribe")
        await running.shown("One clip is not wholly written down: Its clip is too short.")
        assert running.chips() == [TEXT]
        assert not list(paths.transcripts.glob("*.begun")), "nothing is being written down"


async def test_a_sound_that_cannot_be_read_keeps_its_chip(
    open_app: Opener, sound: Path, paths: Paths
) -> None:
    engine = engine_with([LimitError("It cannot be decoded.")], ["two"])
    engine.clips[0] = DamagedFileError("“memo.wav” is cut off.")
    async with open_app(engine) as running:
        await running.drop(sound)
        await running.send("/transcribe")
        await running.shown("In “memo.wav” nothing was heard that could be written down.")
        assert running.chips() == ["memo.wav"]
        assert "writing down" not in running.text()
        assert not list(paths.transcripts.glob("*.begun")), "nothing is being written down"


async def test_a_name_that_leaves_no_room_is_cut(open_app: Opener, tmp_path: Path) -> None:
    sound = tmp_path / f"{'語' * 80}.wav"
    sound.write_bytes(b"sound")
    engine = engine_with(["one"], ["two"])
    engine.media[sound.name] = engine.media["memo.wav"]
    text = f"{'語' * 66} (transcript).txt"
    engine.media[text] = engine.media[TEXT]
    async with open_app(engine) as running:
        await running.drop(sound)
        await running.send("/transcribe")
        await running.until(lambda: running.chips() == [text], "the text")


async def test_the_key_is_offered_for_what_can_be_heard_only(
    open_app: Opener, sound: Path, picture: Path
) -> None:
    async with open_app(engine_with(["one"])) as running:
        await running.drop(picture)
        running.tray.focus()
        await running.shown("Delete remove")
        assert "T to text" not in running.text()
        await running.pilot.press("t")
        await running.drop(sound)
        running.tray.focus()
        await running.shown("T to text")
        assert not running.engine.requests
        await running.pilot.press("delete")  # the sound; the picture stays
        await running.until(lambda: "T to text" not in running.text(), "the key to go")
        await running.shown("Delete remove")


def test_what_to_do_about_a_sound_that_is_too_long() -> None:
    size = PromptSize(270_000, 269_000, 256, 8_192)
    assert excess_sentence(size, drops_oldest=True, has_long_sound=True) == (
        "About 262,064 tokens too many for the context of 8,192. On the chip of the sound T turns"
        " it into text, R takes a part of it."
    )
