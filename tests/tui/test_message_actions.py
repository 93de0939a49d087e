"""What is done with a message from its keys: edit, answer again, ask from here, preview, find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gemma_tui.tui.widgets.composer_panel import EDITING, EDITING_WITH_DRAFT
from tests.scripted_engine import Hold, ScriptedEngine, thinking

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.tui.transcript.widget import Transcript
    from tests.tui.conftest import Opener, Running


def transcript_of(running: Running) -> Transcript:
    from gemma_tui.tui.transcript.widget import Transcript

    return running.app.screen_stack[0].query_one(Transcript)


async def talk(running: Running, *questions: str) -> None:
    """Ask, and wait for each answer."""
    for question in questions:
        before = len(running.engine.requests)
        await running.send(question)
        await running.until(lambda n=before: len(running.engine.requests) > n)  # type: ignore[misc]
        await running.until(lambda: running.app.chat_screen.desk.turn is None)


def asked(running: Running) -> list[str]:
    """The texts of the last prompt."""
    messages = running.engine.requests[-1].messages
    return ["".join(getattr(part, "text", "") for part in m.parts) for m in messages]


def note(running: Running) -> str:
    """What stands above the composer."""
    return str(running.app.chat_screen._panel.note.render())


async def test_an_edited_question_becomes_a_branch(open_app: Opener) -> None:
    engine = ScriptedEngine(["one"], ["two"], ["other"])
    async with open_app(engine) as running:
        await talk(running, "first", "second")
        await running.pilot.press("alt+up")
        await running.until(lambda: transcript_of(running).has_focus)
        await running.pilot.press("up", "e")
        await running.until(lambda: running.composer.has_focus)
        assert running.composer.text == "second"
        assert "two" in running.text()  # nothing is gone before it is asked
        assert EDITING in note(running)
        await running.pilot.press(*"ly", "enter")
        await running.shown("other")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert asked(running) == ["first", "one", "secondly"]
        assert [m.text for m in await running.branch()] == ["first", "one", "secondly", "other"]
        assert note(running) == ""
        old = await running.store.messages(1, 4)
        assert [message.text for message in old] == ["first", "one", "second", "two"]


async def test_the_first_question_is_edited_too(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await talk(running, "first")
        transcript_of(running).choose(1)
        await running.pilot.press("e")
        await running.until(lambda: running.composer.text == "first")
        await running.send(" anew")
        await running.shown("two")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert asked(running) == ["first anew"]
        assert [m.text for m in await running.branch()] == ["first anew", "two"]


async def test_esc_gives_editing_up_and_shows_everything_again(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await talk(running, "first", "second")
        transcript_of(running).choose(3)
        await running.pilot.press("e")
        await running.until(lambda: running.composer.text == "second")
        await running.pilot.press("escape")
        await running.until(lambda: running.composer.text == "")
        assert "two" in running.text()
        assert note(running) == ""


async def test_undo_brings_back_what_was_changed_before_esc(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"])) as running:
        await talk(running, "first")
        transcript_of(running).choose(1)
        await running.pilot.press("e")
        await running.until(lambda: running.composer.text == "first")
        await running.pilot.press("x", "escape")
        await running.until(lambda: running.composer.text == "")
        await running.pilot.press("ctrl+z")
        assert running.composer.text == "firstx"


async def begin_editing(running: Running, way: str) -> None:
    """Edit the first question, in each way there is."""
    if way == "key":
        transcript_of(running).choose(1)
        await running.pilot.press("e")
    else:
        running.app.chat_screen.action_edit_question()
    await running.until(lambda: running.composer.text == "first")


async def begin_editing_of(running: Running, message_id: int, text: str) -> None:
    transcript_of(running).choose(message_id)
    await running.pilot.press("e")
    await running.until(lambda: running.composer.text == text)


@pytest.mark.parametrize("way", ["key", "command"])
async def test_the_draft_is_kept_aside_while_a_question_is_edited(
    open_app: Opener, picture: Path, way: str
) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await talk(running, "first")
        await running.type("unsent")
        await running.drop(picture)
        await begin_editing(running, way)
        assert running.chips() == []
        assert EDITING_WITH_DRAFT in note(running)
        await running.pilot.press("escape")
        await running.until(lambda: running.composer.text == "unsent")
        assert running.chips() == [picture.name]

        await begin_editing(running, way)
        await running.type(" anew")
        await running.pilot.press("enter")
        await running.until(lambda: running.composer.text == "unsent")
        assert running.chips() == [picture.name]
        await running.shown("two")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert asked(running) == ["first anew"]
        # It is saved beside the reply, which does not wait for it.
        await running.until(lambda: not running.app.chat_screen._drafts.is_dirty, "the draft")
        saved = await running.store.load_draft(1)
        assert (saved.text, len(saved.attachments)) == ("unsent", 1)


async def test_both_drafts_survive_a_kill(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"])) as running:
        await talk(running, "first")
        await running.type("unsent")
        await begin_editing(running, "key")
        await running.app.chat_screen._drafts.save()
        assert (await running.store.load_draft(1)).text == "unsent"
        await running.type(" anew")
        await running.app.chat_screen._drafts.save()
        kept = await running.store.load_draft(1)
        assert kept.text == "unsent\nfirst anew"
        running.app.chat_screen.workspace.open(None)
        await running.until(lambda: running.app.chat_screen._page.conversation is None)
        assert running.composer.text == ""
        assert note(running) == ""
        running.app.chat_screen.workspace.open(1)
        await running.until(lambda: running.composer.text == "unsent\nfirst anew")


async def test_attachments_of_an_edited_question_come_along(
    open_app: Opener, picture: Path
) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await running.drop(picture)
        await talk(running, "first")
        await begin_editing(running, "key")
        assert running.chips() == [picture.name]
        await running.send(" anew")
        await running.shown("two")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert [len(m.attachments) for m in await running.branch()] == [1, 0]


async def test_another_question_is_not_edited_over_changed_words(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await talk(running, "first", "second")
        await begin_editing_of(running, 1, "first")
        await begin_editing_of(running, 3, "second")  # nothing was changed yet
        await running.type("ly")
        transcript_of(running).choose(1)
        await running.pilot.press("e")
        await running.until(lambda: running.problem)
        assert "You are changing another question" in running.problem
        assert running.composer.text == "secondly"


async def test_nothing_is_edited_while_a_reply_is_written(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["one", hold])) as running:
        await running.send("first")
        await hold.reached.wait()
        for by_command in (False, True):
            running.app.chat_screen._panel.problem.tell("")
            await (running.send("/edit") if by_command else running.pilot.press("up"))
            await running.until(lambda: "still being written" in running.problem)
            assert running.composer.text == ""
        hold.release()
        await running.until(lambda: running.app.chat_screen.desk.turn is None)


async def test_an_earlier_reply_is_written_again_as_a_sibling(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"], ["again"])) as running:
        await talk(running, "first", "second")
        transcript_of(running).choose(2)
        await running.pilot.press("r")
        await running.shown("again")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert asked(running) == ["first"]
        assert "second" not in running.text()
        assert [m.text for m in await running.branch()] == ["first", "again"]


async def test_a_question_is_asked_from_an_earlier_reply(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"], ["else"])) as running:
        await talk(running, "first", "second")
        transcript_of(running).choose(2)
        await running.pilot.press("n")
        await running.until(lambda: "second" not in running.text())
        await running.send("third")
        await running.shown("else")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert asked(running) == ["first", "one", "third"]


async def test_nothing_is_begun_while_a_reply_is_written(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["one"], ["two", hold])) as running:
        await talk(running, "first")
        await running.send("second")
        await hold.reached.wait()
        await running.shown("two")
        transcript_of(running).choose(1)
        for key in "ern":
            await running.pilot.press(key)
            await running.until(lambda: "still being written" in running.problem)
        assert "second" in running.text()
        await running.pilot.press("escape")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.shown("stopped")
        await running.pilot.press("escape")
        await running.until(lambda: running.composer.has_focus)


async def test_a_preview_is_drawn_under_its_chip(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.drop(picture)
        await talk(running, "what is it?")
        await running.pilot.press("alt+up", "up", "enter")
        await running.shown("▀▀")
        await running.pilot.press("enter")
        await running.until(lambda: "▀▀" not in running.text())


async def test_finding_in_the_conversation(open_app: Opener) -> None:
    engine = ScriptedEngine(thinking("a needle of thought", "hay"), ["a needle", " in hay"])
    async with open_app(engine) as running:
        await talk(running, "first", "second")
        await running.pilot.press("ctrl+f")
        await running.pilot.press(*"needle")
        await running.shown("1 of 2")
        assert "a needle of thought" in running.text()
        await running.pilot.press("enter")
        await running.shown("2 of 2")
        await running.pilot.press("up")
        await running.shown("1 of 2")
        await running.pilot.press("x")
        await running.shown("not found")
        assert running.composer.text == ""
        await running.pilot.press("backspace", "escape")
        await running.until(lambda: transcript_of(running).has_focus)
        assert "Find" not in running.text()
        chosen = transcript_of(running).chosen
        assert chosen is not None
        assert chosen.text == "hay"


async def test_the_keys_of_the_chosen_message_are_shown_and_in_the_palette(
    open_app: Opener,
) -> None:
    async with open_app(ScriptedEngine(["```\ncode\n```"])) as running:
        await talk(running, "first")
        assert "copy" not in running.text()
        await running.pilot.press("alt+up")
        await running.shown("y code")
        assert "e edit" not in running.text()
        await running.pilot.press("up")
        await running.shown("e edit")
        await running.pilot.press("ctrl+p")
        await running.pilot.press(*"answer again")
        await running.shown("Message: answer again")


async def test_typing_another_letter_goes_to_the_composer(open_app: Opener) -> None:
    async with open_app() as running:
        await talk(running, "first")
        await running.pilot.press("alt+up", "w", "e")
        assert running.composer.text == "we"


async def test_branches_are_numbered_switched_and_remembered(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"], ["again"], ["more"])) as running:
        await talk(running, "first", "second")
        transcript_of(running).choose(2)
        await running.pilot.press("r")
        await running.shown("‹ 2/2 ›")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.send("third")
        await running.shown("more")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        transcript_of(running).choose(5)
        await running.shown("←→ branch")
        await running.pilot.press("left")
        await running.shown("‹ 1/2 ›")
        assert "second" in running.text()
        assert "third" not in running.text()
        chosen = transcript_of(running).chosen
        assert chosen is not None
        assert chosen.text == "one"
        await running.pilot.press("left")
        await running.pilot.pause()
        assert "‹ 1/2 ›" in running.text()
    async with open_app(ScriptedEngine(["end"])) as running:
        await running.shown("‹ 1/2 ›")
        await talk(running, "fourth")
        assert asked(running) == ["first", "one", "second", "two", "fourth"]
        transcript_of(running).choose(2)
        await running.pilot.press("right")
        await running.shown("third")
        assert "again" in running.text()


async def test_a_message_is_deleted_with_what_follows_and_comes_back(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await talk(running, "first", "second")
        transcript_of(running).choose(3)
        await running.pilot.press("delete")
        await running.until(lambda: "second" not in running.text())
        assert "two" not in running.text()
        assert [m.text for m in await running.branch()] == ["first", "one"]
        chosen = transcript_of(running).chosen
        assert chosen is not None
        assert chosen.text == "one"
        await running.pilot.press("u")
        await running.shown("two")
        assert [m.text for m in await running.branch()] == ["first", "one", "second", "two"]
        await running.pilot.press("u")
        assert [m.text for m in await running.branch()] == ["first", "one", "second", "two"]


async def test_a_reply_that_is_written_is_not_deleted(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["one", hold])) as running:
        await running.send("first")
        await running.shown("one")
        transcript_of(running).choose(1)
        await running.pilot.press("delete")
        await running.until(lambda: "being written" in running.problem)
        assert "one" in running.text()
        hold.release()
        await running.until(lambda: running.app.chat_screen.desk.turn is None)


async def test_everything_is_deleted_and_another_question_begins_anew(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await talk(running, "first")
        transcript_of(running).choose(1)
        await running.pilot.press("delete")
        await running.until(lambda: "Drop a picture" in running.text())
        await running.pilot.press("u")
        await running.shown("first")
        await running.pilot.press("delete")
        await running.until(lambda: "Drop a picture" in running.text())
        await talk(running, "other")
        assert asked(running) == ["other"]
        assert [m.text for m in await running.branch()] == ["other", "two"]
