"""The list of conversations, drafts, and coming back later."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gemma_tui.conversation import Draft, MessageState, TextPart
from gemma_tui.errors import StorageError
from tests.scripted_engine import Hold, ScriptedEngine
from tests.tui.conftest import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.tui.conftest import Opener, Running


async def ask(running: Running, question: str) -> None:
    await running.send(question)
    await running.until(
        lambda: running.app.chat_screen.desk.turn is None and question in running.text(), question
    )


async def test_everything_is_there_the_next_time(open_app: Opener, picture: Path) -> None:
    async with open_app(ScriptedEngine(["A red circle."])) as running:
        await running.drop(picture)
        await ask(running, "what is this?")
        await running.pilot.press("ctrl+q")
    async with open_app() as running:
        await running.shown("A red circle.")
        assert "▣ red circle.png" in running.text()
        assert "what is this?" in running.text()


async def test_a_draft_survives_quitting_with_its_chips(
    open_app: Opener, picture: Path, sound: Path
) -> None:
    async with open_app() as running:
        await running.drop(picture, sound)
        await running.type("half a thou")
        await running.pilot.press("ctrl+q")
    async with open_app() as running:
        await running.until(lambda: running.composer.text == "half a thou")
        assert running.chips() == ["red circle.png", "memo.wav"]
        assert running.composer.cursor_location == (0, 11)


async def test_a_draft_is_saved_without_quitting(open_app: Opener) -> None:
    async with open_app() as running:
        await running.type("not lost")
        kept = Draft()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while kept.text != "not lost" and time.monotonic() < deadline:
            await running.pilot.pause()
            kept = await running.store.load_draft(None)
        assert kept.text == "not lost"


async def test_every_conversation_has_its_draft(open_app: Opener) -> None:
    async with open_app() as running:
        await ask(running, "first")
        await running.type("draft of the first")
        await running.pilot.press("ctrl+n")
        await running.until(lambda: running.composer.text == "")
        await running.type("draft of the new one")
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: running.composer.text == "draft of the first")
        await running.pilot.press("ctrl+n")
        await running.until(lambda: running.composer.text == "draft of the new one")
        await running.shown("✎ first")


async def test_the_next_start_opens_where_unsent_words_are(open_app: Opener) -> None:
    async with open_app() as running:
        await ask(running, "older")
        await running.pilot.press("ctrl+n")
        await running.until(lambda: "New conversation" in running.text())
        await ask(running, "newer")
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: "older" in running.text().splitlines()[0])
        await running.type("still typing here")
        await running.pilot.press("ctrl+q")
    async with open_app() as running:
        await running.until(lambda: running.composer.text == "still typing here")
        assert "older" in running.text().splitlines()[0]


async def test_a_sent_draft_is_not_kept(open_app: Opener) -> None:
    async with open_app() as running:
        await ask(running, "sent")
        await running.pilot.press("ctrl+q")
    async with open_app() as running:
        assert running.composer.text == ""
        assert await running.store.load_draft(None) == Draft()


async def test_open_with_enter_and_with_the_mouse(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["One."], ["Two."])) as running:
        await ask(running, "first")
        await running.pilot.press("ctrl+n")
        await running.until(lambda: "One." not in running.text())
        await ask(running, "second")
        running.conversations.focus()
        await running.pilot.press("down", "enter")
        await running.shown("One.")
        assert running.composer.has_focus
        row = next(
            i for i, line in enumerate(running.text().splitlines()) if "  second" in line[:29]
        )
        await running.pilot.click(offset=(6, row))
        await running.shown("Two.")


async def test_delete_and_undo(open_app: Opener) -> None:
    async with open_app() as running:
        await ask(running, "keep me")
        running.conversations.focus()
        await running.pilot.press("delete")
        await running.until(lambda: "New conversation" in running.text())
        await running.shown("Deleted “keep me”")
        assert await running.store.list() == ()
        await running.pilot.press("ctrl+z")
        await running.until(lambda: "keep me" in running.text().splitlines()[0])
        await running.shown("Hello there.")
        assert len(await running.store.list()) == 1


async def test_deleting_stops_the_reply_first(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["begun", hold])) as running:
        await running.send("long")
        await hold.reached.wait()
        running.conversations.focus()
        await running.until(lambda: running.conversations.row_count == 2)
        await running.pilot.press("delete")
        await running.until(lambda: running.conversations.row_count == 0)
        assert running.app.chat_screen.desk.turn is None
        assert (await running.branch())[-1].state is MessageState.CANCELLED


async def test_the_list_hides_on_narrow_screens_and_on_ctrl_b(open_app: Opener) -> None:
    async with open_app(size=(80, 24)) as running:
        await running.until(lambda: not running.conversations.display)
        await running.pilot.press("ctrl+b")
        await running.until(lambda: running.conversations.has_focus)
        await running.pilot.press("ctrl+b")
        await running.until(lambda: running.composer.has_focus)
        await running.until(lambda: not running.conversations.display)
        await running.pilot.resize_terminal(120, 30)
        await running.until(lambda: not running.conversations.display)
    async with open_app(size=(100, 24)) as running:
        assert running.conversations.display


async def test_a_reply_cut_short_by_a_crash_is_shown_as_such(open_app: Opener) -> None:
    async with open_app() as running:
        conversation = await running.store.create("cut short")
        question = await running.store.add_message(
            conversation.id, None, "user", [TextPart("tell me")]
        )
        reply = await running.store.add_message(
            conversation.id,
            question.id,
            "model",
            [TextPart("The first half")],
            MessageState.INTERRUPTED,
        )
        assert reply.state is MessageState.INTERRUPTED
    async with open_app(ScriptedEngine(["All of it."])) as running:
        await running.shown("The first half")
        await running.shown("interrupted")
        await running.pilot.press("ctrl+r")
        await running.shown("All of it.")


async def test_quitting_while_a_reply_is_written_keeps_it(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["so far", hold, " and on"])) as running:
        await running.send("question")
        await hold.reached.wait()
        await running.shown("so far")
        await running.pilot.press("ctrl+q")
    async with open_app() as running:
        await running.shown("so far")
        assert (await running.branch())[-1].state is MessageState.CANCELLED


async def test_a_draft_that_cannot_be_saved_is_not_given_up_silently(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app() as running:

        async def full(*_: object) -> None:
            raise StorageError("The disk is full.", "Free some space.")

        monkeypatch.setattr(running.store, "save_draft", full)
        await running.type("precious")
        await running.until(lambda: "The disk is full." in running.problem)
        assert running.composer.text == "precious"
        await running.pilot.press("ctrl+q")
        await running.shown("Ctrl+Q again")
        assert running.app.is_running
        monkeypatch.undo()
        await running.pilot.press("ctrl+q")
        await running.until(lambda: not running.app.is_running)
    async with open_app() as running:
        assert running.composer.text == "precious"


async def test_a_notice_about_the_start_is_shown(open_app: Opener) -> None:
    async with open_app(notice="The database was damaged.") as running:
        assert "The database was damaged." in running.text()
