"""Titles that the model writes while it has nothing else to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Message, MessageState, TextPart
from gemma_tui.errors import EngineError
from gemma_tui.generation import Finished
from gemma_tui.title import clean_title, title_request
from tests.scripted_engine import MODEL, USAGE, Hold, ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.scripted_engine import Step
    from tests.tui.conftest import Opener, Running

REAL = replace(MODEL, is_demo=False)


def engine(*scripts: Sequence[Step]) -> ScriptedEngine:
    return ScriptedEngine(*scripts, model=REAL)


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Baking Bread", "Baking Bread"),
        ('  "Baking Bread."\n\nI hope it helps', "Baking Bread"),
        ("**Title:** Baking Bread", "Baking Bread"),
        ("# Baking `Bread`", "Baking `Bread"),
        ("Titel: „Brot backen“", "Brot backen"),
        ("「パンの焼き方」", "パンの焼き方"),
        ("C++", "C++"),
        ("", ""),
        ("…", ""),
        ("***", ""),
        ("one two three four five six seven eight nine ten eleven twelve thirteen", ""),
        ("x" * 61, ""),
        ("\x1b]0;evil\x07 title", "␛]0;evil␇ title"),
    ],
)
def test_what_is_taken_of_an_answer(answer: str, title: str) -> None:
    assert clean_title(answer) == title


def test_the_request_is_short_whatever_was_said() -> None:
    long = "word " * 100_000
    asked = Message(1, 1, None, "user", (TextPart(long),), MessageState.COMPLETE, 0.0)
    reply = replace(asked, id=2, parent_id=1, role="model")
    request = title_request(asked, reply)
    (part,) = request.messages[0].parts
    assert isinstance(part, TextPart)
    assert len(part.text) < 2000
    assert request.is_aside
    assert request.options.max_tokens <= 32


async def ask(running: Running, text: str) -> None:
    await running.send(text)
    await running.until(lambda: running.app.chat_screen.desk.turn is None)


async def test_the_first_complete_reply_is_followed_by_a_title(open_app: Opener) -> None:
    async with open_app(engine(["An answer."], ["A Fine Title"], ["More."])) as running:
        await ask(running, "how do I do it?")
        await running.shown("A Fine Title")
        kept = await running.store.get(1)
        assert (kept.title, kept.title_origin) == ("A Fine Title", "model")
        await ask(running, "and then?")
        await running.shown("More.")
        assert len(running.engine.requests) == 3  # no second title


async def test_the_built_in_model_writes_no_titles(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["An answer."], ["Nonsense"])) as running:
        await ask(running, "how do I do it?")
        await running.pilot.pause()
        assert len(running.engine.requests) == 1
        assert (await running.store.get(1)).title == "how do I do it?"


async def test_a_title_of_the_user_stays(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(engine(["An answer."], [hold, "Other"])) as running:
        await ask(running, "question")
        await hold.reached.wait()
        await running.send("/rename Mine")
        await running.shown("Mine")
        hold.release()
        await running.until(lambda: running.engine.state.phase == "ready")
        await running.pilot.pause()
        assert (await running.store.get(1)).title == "Mine"


async def test_a_turn_of_the_user_stops_it_at_once_and_the_next_reply_gives_one(
    open_app: Opener,
) -> None:
    hold = Hold()
    titles: tuple[Sequence[Step], Sequence[Step]] = ([hold, "Too late"], ["In Time"])
    async with open_app(engine(["An answer."], titles[0], ["Second."], titles[1])) as running:
        await ask(running, "question")
        await hold.reached.wait()
        await ask(running, "impatient")
        await running.shown("Second.")
        assert running.engine.closed_early == 1
        await running.shown("In Time")
        assert "Too late" not in running.text()


@pytest.mark.parametrize(
    "script",
    [
        ["far too many words " * 10],
        [""],
        ["Half a ti", Finished("length", USAGE)],
        [EngineError("It broke.", "Try again.")],
    ],
    ids=["long", "empty", "cut", "error"],
)
async def test_without_a_sensible_title_the_question_stays_and_nobody_is_troubled(
    open_app: Opener, script: Sequence[Step]
) -> None:
    async with open_app(engine(["An answer."], script)) as running:
        await ask(running, "question")
        await running.until(lambda: len(running.engine.requests) == 2)
        await running.until(lambda: running.engine.state.phase == "ready")
        await running.pilot.pause()
        assert (await running.store.get(1)).title == "question"
        assert running.problem == ""


async def test_whoever_wants_no_titles_gets_none(open_app: Opener) -> None:
    settings = {"GEMMA_TUI_TITLES": "false"}
    async with open_app(engine(["An answer."], ["A Title"]), environ=settings) as running:
        await ask(running, "question")
        await running.pilot.pause()
        assert len(running.engine.requests) == 1
        assert (await running.store.get(1)).title == "question"


async def test_a_reply_that_was_stopped_gives_no_title(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(engine(["begun", hold])) as running:
        await running.send("question")
        await hold.reached.wait()
        await running.pilot.press("escape")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.pilot.pause()
        assert len(running.engine.requests) == 1
