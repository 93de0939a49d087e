"""Asking, streaming, stopping, answering again; and what happens when it goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events

from gemma_tui.conversation import MessageState
from gemma_tui.engine.interface import EngineState
from gemma_tui.errors import CapabilityError, EngineStoppedError
from gemma_tui.generation import MediaProgress, PrefillProgress
from gemma_tui.storage.conversations import ConversationStore
from tests.scripted_engine import MODEL, USAGE, Hold, ScriptedEngine, Step, thinking

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gemma_tui.conversation import Conversation
    from tests.tui.conftest import Opener


async def test_a_question_is_answered_and_stored(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["The answer", " is **7**."])) as running:
        await running.send("what is it?")
        await running.shown("The answer is 7.")
        await running.until(lambda: "ready" in running.status)
        question, reply = await running.branch()
        assert (question.text, reply.text) == ("what is it?", "The answer is **7**.")
        assert reply.state is MessageState.COMPLETE
        assert running.composer.text == ""
        assert "what is it?" in running.text().splitlines()[0]


async def test_the_next_question_follows_the_answer(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["One."], ["Two."])) as running:
        await running.send("first")
        await running.until(lambda: "ready" in running.status and "One." in running.text())
        await running.send("second")
        await running.shown("Two.")
        assert [m.text for m in await running.branch()] == ["first", "One.", "second", "Two."]
        assert len(running.engine.requests[1].messages) == 3


async def test_ctrl_j_breaks_the_line(open_app: Opener) -> None:
    async with open_app() as running:
        await running.type("one")
        await running.pilot.press("ctrl+j")
        await running.send("two")
        await running.shown("Hello there.")
        assert (await running.branch())[0].text == "one\ntwo"


async def test_nothing_to_say_sends_nothing(open_app: Opener) -> None:
    async with open_app() as running:
        await running.send("   ")
        await running.pilot.pause()
        assert running.engine.requests == []
        assert await running.store.list() == ()


async def test_esc_stops_and_keeps_the_text(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["The beginning", hold, " never said"])) as running:
        await running.send("go on")
        await hold.reached.wait()
        await running.shown("The beginning")
        await running.pilot.press("escape")
        await running.until(lambda: "ready" in running.status)
        reply = (await running.branch())[-1]
        assert (reply.state, reply.text) == (MessageState.CANCELLED, "The beginning")
        assert reply.usage == USAGE
        await running.shown("stopped")
        assert running.engine.closed_early == 0


async def test_esc_does_not_wait_for_an_engine_in_a_long_step(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["The beginning", hold, " never said"])) as running:
        running.engine.hears_cancel = False
        await running.send("go on")
        await hold.reached.wait()
        await running.pilot.press("escape")
        await running.until(lambda: "ready" in running.status)
        reply = (await running.branch())[-1]
        assert (reply.state, reply.text) == (MessageState.CANCELLED, "The beginning")
        assert reply.usage is None
        assert running.engine.closed_early == 1


async def test_esc_works_from_the_list_and_while_the_model_loads(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine([hold, "late"], ["in time"])) as running:
        await running.send("first words")
        await hold.reached.wait()
        running.engine.set_state(EngineState("loading", fraction=0.62))
        await running.shown("loading the model 62 %")
        running.conversations.focus()
        await running.pilot.press("escape")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert [m.state for m in await running.branch()] == [
            MessageState.COMPLETE,
            MessageState.CANCELLED,
        ]


async def test_esc_right_behind_enter_gives_the_words_back_or_stops(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine([hold])) as running:
        await running.type("too soon")
        for key in ("enter", "escape", "escape"):
            running.app.post_message(events.Key(key, None))
        await running.until(lambda: running.composer.text == "too soon" or running.engine.requests)
        await running.pilot.press("escape")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.until(lambda: "ready" in running.status)


async def test_phases_are_shown(open_app: Opener) -> None:
    media, prompt, writing = Hold(), Hold(), Hold()
    script: list[Step] = [
        MediaProgress(0, 2),
        media,
        PrefillProgress(45, 100),
        prompt,
        "word",
        writing,
    ]
    async with open_app(ScriptedEngine(script)) as running:
        await running.send("look")
        await media.reached.wait()
        await running.until(lambda: "reading attachment 1 of 2" in running.status)
        media.release()
        await prompt.reached.wait()
        await running.until(lambda: "reading the prompt 45 %" in running.status)
        await running.shown("reading the prompt 45 %")
        prompt.release()
        await writing.reached.wait()
        await running.until(lambda: "writing" in running.status)
        writing.release()
        await running.until(lambda: "ready" in running.status)
        assert "context 15 of 8k (0 %)" in running.status
        assert "10.0 tok/s" in running.status


async def test_ctrl_r_answers_again(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["First."], ["Second."])) as running:
        await running.send("once more")
        await running.until(lambda: "ready" in running.status and "First." in running.text())
        await running.pilot.press("ctrl+r")
        await running.shown("Second.")
        await running.until(lambda: "ready" in running.status)
        assert "First." not in running.text()
        assert running.text().count("once more") >= 1
        assert [m.text for m in await running.branch()] == ["once more", "Second."]


async def test_ctrl_t_thinks_first(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(thinking("Hm.", "Yes."))) as running:
        assert "thinking off" in running.status
        await running.pilot.press("ctrl+t")
        assert "thinking on" in running.status
        await running.send("think")
        await running.shown("Yes.")
        await running.until(lambda: "ready" in running.status)
        assert running.engine.requests[0].options.thinking
        assert (await running.branch())[-1].thought == "Hm."


async def test_one_reply_at_a_time(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["begun", hold, " ended"])) as running:
        await running.send("one")
        await hold.reached.wait()
        await running.send("two")
        await running.until(lambda: running.composer.text == "two")
        assert "still being written" in running.problem
        await running.pilot.press("ctrl+r")
        assert "still being written" in running.problem
        hold.release()
        await running.shown("begun ended")
        await running.until(lambda: "ready" in running.status)
        await running.pilot.press("enter")
        await running.until(lambda: len(running.engine.requests) == 2)
        assert running.problem == ""


async def test_a_reply_goes_on_in_the_background(open_app: Opener) -> None:
    hold = Hold()
    engine = ScriptedEngine(["Other."], ["shown", hold, " and hidden"])
    async with open_app(engine) as running:
        await running.send("other conversation")
        await running.until(lambda: "ready" in running.status and "Other." in running.text())
        await running.pilot.press("ctrl+n")
        await running.until(lambda: "Other." not in running.text())
        await running.send("long one")
        await hold.reached.wait()
        await running.shown("shown")
        await running.pilot.press("ctrl+n")
        await running.until(lambda: "shown" not in running.text())
        await running.type("x")
        running.conversations.focus()
        await running.until(lambda: running.conversations.highlighted is not None)
        # Back to it while it is still being written: it is there, live.
        running.conversations.post_message(running.conversations.Opened(2))
        await running.shown("shown")
        hold.release()
        await running.shown("shown and hidden")
        await running.until(lambda: "ready" in running.status)
        assert (await running.branch(2))[-1].text == "shown and hidden"
        assert (await running.store.load_draft(None)).text == "x"


async def test_a_reply_that_ends_unseen_is_complete_when_opened(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["begun", hold, " ended"])) as running:
        await running.send("question")
        await hold.reached.wait()
        await running.pilot.press("ctrl+n")
        await running.until(lambda: "begun" not in running.text())
        hold.release()
        await running.until(lambda: "ready" in running.status)
        running.conversations.post_message(running.conversations.Opened(1))
        await running.shown("begun ended")
        assert (await running.branch())[-1].state is MessageState.COMPLETE


async def test_an_engine_that_dies_is_reported_and_the_next_answer_works(open_app: Opener) -> None:
    error = EngineStoppedError("The engine stopped while it was writing.", "Ctrl+R answers again.")
    async with open_app(ScriptedEngine(["half a", error], ["whole"])) as running:
        await running.send("question")
        await running.shown("The engine stopped while it was writing.")
        await running.until(lambda: "ready" in running.status)
        reply = (await running.branch())[-1]
        assert (reply.state, reply.text) == (MessageState.FAILED, "half a")
        # The transcript says it: no second time when the engine tells of its new process.
        running.engine.set_state(EngineState("ready", MODEL, problem=str(error)))
        assert running.problem == ""
        await running.pilot.press("ctrl+r")
        await running.shown("whole")


async def test_a_problem_of_the_engine_is_told_once(open_app: Opener) -> None:
    async with open_app() as running:
        broken = EngineState("failed", problem="config.json is missing. Choose another folder.")
        running.engine.set_state(broken)
        assert "config.json is missing" in running.problem
        assert "no model" in running.status
        await running.pilot.press("escape")
        assert running.problem == ""
        running.engine.set_state(EngineState("ready", MODEL))
        running.engine.set_state(broken)
        assert "config.json is missing" in running.problem


async def test_what_cannot_be_asked_comes_back(open_app: Opener, picture: Path) -> None:
    blind = EngineState("ready", replace(MODEL, can_see=False))
    engine = ScriptedEngine()
    async with open_app(engine) as running:
        engine.set_state(blind)
        await running.drop(picture)
        await running.send("what is this?")
        await running.until(lambda: running.problem)
        assert running.composer.text == "what is this?"
        assert [a.name for a in running.tray.attachments] == ["red circle.png"]
        assert engine.requests == []
        assert await running.store.list() == ()
        await running.until(lambda: running.app.chat_screen.desk.turn is None)


async def test_up_brings_the_last_question_back(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.pilot.press("up")
        assert running.composer.text == ""
        await running.drop(picture)
        await running.send("what is this?")
        await running.shown("Hello there.")
        await running.until(lambda: "ready" in running.status)
        await running.pilot.press("up")
        await running.until(lambda: running.composer.text == "what is this?")
        assert len(running.tray.attachments) == 1


async def test_a_stored_error_is_one_of_ours(open_app: Opener) -> None:
    error = CapabilityError("This model cannot hear.", "Load another one.")
    async with open_app(ScriptedEngine([error])) as running:
        await running.send("listen")
        await running.shown("This model cannot hear.")
        assert (await running.branch())[-1].error == "This model cannot hear. Load another one."


async def test_keys_typed_at_once_keep_their_order(open_app: Opener) -> None:
    # As a terminal without bracketed paste, or a fast typist on a busy machine, sends them.
    async with open_app() as running:
        keys = ["a", "ctrl+j", "b", "x", "backspace", "c", "left", "d", "enter", "e"]
        for key in keys:
            character = key if len(key) == 1 else None
            running.app.post_message(events.Key(key, character))
        await running.shown("Hello there.")
        assert (await running.branch())[0].text == "a\nbdc"
        assert running.composer.text == "e"


async def test_a_message_sent_during_the_start_is_not_lost(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()
    listed = ConversationStore.list

    async def slow_list(self: ConversationStore) -> tuple[Conversation, ...]:
        await held.wait()
        return await listed(self)

    monkeypatch.setattr(ConversationStore, "list", slow_list)
    async with open_app(begun=False) as running:
        await running.send("typed at once")
        await running.until(lambda: running.composer.text == "typed at once")
        held.set()
        await running.shown("Hello there.")
        assert "typed at once" in running.text().splitlines()[0]


async def test_a_message_sent_while_another_page_opens_stays_where_it_was_meant(
    open_app: Opener,
) -> None:
    async with open_app(ScriptedEngine(["One."], ["Two."])) as running:
        await running.send("first")
        await running.shown("One.")
        await running.type("second")
        for key, character in (("ctrl+n", None), ("enter", "\r")):
            running.app.post_message(events.Key(key, character))
        await running.until(lambda: len(running.engine.requests) == 2, "the second request")
        await running.until(lambda: "ready" in running.status, "the second reply")
        assert [m.text for m in await running.branch()] == ["first", "One.", "second", "Two."]
        page = running.app.chat_screen._page
        assert (page.conversation_id, "Two." in running.text()) in {(None, False), (1, True)}
        assert ("Two." in running.text()) == ("One." in running.text())
