"""Going on with a reply that was cut off; what is left out of a full context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.conversation import MessageState, TextPart, ThoughtPart
from gemma_tui.errors import StorageError
from gemma_tui.generation import (
    Finished,
    PrefillProgress,
    Resumed,
    TextDelta,
    ThoughtDelta,
    TurnsLeftOut,
)
from tests.scripted_engine import USAGE, Hold, ScriptedEngine, Step

if TYPE_CHECKING:
    import pytest

    from gemma_tui.conversation import Message
    from tests.tui.conftest import Opener


async def test_ctrl_g_goes_on_where_the_reply_was_cut_off(open_app: Opener) -> None:
    parts = (ThoughtPart("hm"), TextPart("It is a re"))
    hold = Hold()
    engine = ScriptedEngine(
        [ThoughtDelta("hm", (1,)), TextDelta("It is a re", 2, (2,)), Finished("length", USAGE)],
        [Resumed(parts, (1, 2)), hold, TextDelta("d circle.", 3, (3,))],
    )
    async with open_app(engine) as running:
        await running.send("what is it?")
        await running.shown("cut off: the reply reached its longest length")
        await running.pilot.press("ctrl+g")
        await hold.reached.wait()
        await running.until(lambda: "cut off" not in running.text())
        assert "It is a re" in running.text()
        hold.release()
        # One paragraph, not two: the block that was open goes on.
        await running.shown("It is a red circle.")
        await running.until(lambda: "ready" in running.status)
        question, reply = await running.branch()
        assert (question.text, reply.text) == ("what is it?", "It is a red circle.")
        assert reply.state is MessageState.COMPLETE
        resumed = engine.requests[1].reply
        assert resumed is not None
        assert (resumed.parts, resumed.token_ids) == (parts, (1, 2))
        assert "cut off" not in running.text()


async def test_a_stopped_reply_goes_on_after_a_restart(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine([TextDelta("The begin", 1, (5,)), hold])) as running:
        await running.send("go on")
        await hold.reached.wait()
        await running.shown("The begin")
        await running.pilot.press("escape")
        await running.shown("stopped")
    engine = ScriptedEngine([Resumed((TextPart("The begin"),), (5,)), "ning and the end."])
    async with open_app(engine) as running:
        await running.shown("The begin")
        await running.pilot.press("ctrl+g")
        await running.shown("The beginning and the end.")
        await running.until(lambda: "ready" in running.status)
        assert "stopped" not in running.text()
        assert (await running.branch())[-1].text == "The beginning and the end."


async def test_one_left_and_come_back_to_while_it_goes_on_is_shown_whole(open_app: Opener) -> None:
    hold = Hold()
    engine = ScriptedEngine(
        [TextDelta("One two", 1, (5,)), Finished("length", USAGE)],
        [Resumed((TextPart("One two"),), (5,)), " three", hold, " four."],
    )
    async with open_app(engine) as running:
        await running.send("count")
        await running.shown("cut off")
        await running.pilot.press("ctrl+g")
        await hold.reached.wait()
        await running.pilot.press("ctrl+n")
        await running.until(lambda: "One two" not in running.text())
        await running.app.chat_screen.desk.open(1)
        await running.shown("One two three")
        hold.release()
        await running.shown("One two three four.")


async def test_a_loop_is_named(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["ha ha", Finished("repetition", USAGE)])) as running:
        await running.send("laugh")
        await running.shown("cut off: the reply said the same over and over")


async def test_a_complete_reply_has_nothing_to_go_on_with(open_app: Opener) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+g")
        await running.until(lambda: "no cut-off reply" in running.problem)
        await running.send("Hi")
        await running.shown("Hello there.")
        await running.until(lambda: "ready" in running.status)
        assert running.problem == ""
        await running.pilot.press("ctrl+g")
        await running.until(lambda: "no cut-off reply" in running.problem)
        assert len(running.engine.requests) == 1


async def test_words_whose_end_cannot_be_stored_stay_on_the_screen_with_the_reason(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app(ScriptedEngine(["All of the answer."])) as running:

        async def full(message: Message) -> Message:
            raise StorageError("The disk is full.", "Free some space.")

        monkeypatch.setattr(running.store, "finish", full)
        await running.send("Hi")
        await running.shown("The disk is full.")
        assert "All of the answer." in running.text()


async def test_turns_are_left_out_only_if_wanted_and_the_user_is_told(open_app: Opener) -> None:
    engine = ScriptedEngine(["One."], [TurnsLeftOut(3, 1204), "Two."])
    async with open_app(engine) as running:
        await running.send("first")
        await running.until(lambda: "ready" in running.status and "One." in running.text())
        await running.pilot.press("f8")
        await running.send("second")
        await running.shown("Two.")
        assert (
            running.problem
            == "! The 3 oldest turns were left out (1,204 tokens): the context is full."
        )
        assert [r.options.overflow for r in engine.requests] == ["refuse", "drop_oldest"]
        await running.pilot.press("f8")
        await running.until(lambda: "ready" in running.status)
        await running.send("third")
        await running.until(lambda: len(engine.requests) == 3)
        assert engine.requests[2].options.overflow == "refuse"


async def test_the_time_left_is_shown(open_app: Opener) -> None:
    hold, soon = Hold(), Hold()
    script: list[Step] = [
        PrefillProgress(45, 100, 0, 12.4),
        hold,
        PrefillProgress(90, 100, 0, 1.4),
        soon,
        "x",
    ]
    async with open_app(ScriptedEngine(script)) as running:
        await running.send("read")
        await hold.reached.wait()
        await running.until(lambda: "reading the prompt 45 %, 12 s left" in running.status)
        hold.release()
        await soon.reached.wait()
        await running.until(lambda: "reading the prompt 90 %  Esc" in running.status)
        soon.release()
