"""Long pastes, completed files, editing a question, earlier questions, and the cost of sending."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events

from gemma_tui.conversation import Draft, TextPart, Usage
from gemma_tui.engine.interface import EngineState
from gemma_tui.errors import EngineError
from gemma_tui.generation import Finished, PromptSize
from gemma_tui.tui.file_search import MAX_FOUND, search_files
from gemma_tui.tui.prompt_cost import cost_sentence, excess_sentence
from gemma_tui.tui.widgets.completion_list import CompletionList
from gemma_tui.tui.widgets.composer import LONG_PASTE_LINES
from tests.scripted_engine import MODEL, Hold, ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.tui.conftest import Opener, Running

LONG = "\n".join(f"line {index}" for index in range(LONG_PASTE_LINES + 1))


def listed(running: Running) -> list[str]:
    shown = running.app.chat_screen.query_one(CompletionList)
    return [item.label for item in shown.candidates]


async def idle(running: Running) -> None:
    await running.until(lambda: running.app.chat_screen.desk.turn is None, "the end of the turn")


async def test_a_long_paste_becomes_a_chip_that_is_sent_with_its_text(open_app: Opener) -> None:
    async with open_app() as running:
        await running.paste(LONG)
        await running.until(lambda: running.chips() == ["pasted text, 41 lines"], "the chip")
        assert "≡ pasted text, 41 lines" in running.text()
        assert running.composer.text == ""
        await running.send("what is this?")
        await running.shown("Hello there.")
        (message,) = running.engine.requests[0].messages
        (part,) = message.parts
        assert isinstance(part, TextPart)
        assert part.text == f"File “pasted text, 41 lines”:\n```\n{LONG}\n```\n\nwhat is this?"
        assert "≡ pasted text, 41 lines" in running.text()


async def test_enter_right_behind_a_long_paste_sends_it_too(open_app: Opener) -> None:
    async with open_app() as running:
        await running.type("what is this?")
        enter = events.Key("enter", "\r")
        enter.time += 10
        for event in (events.Paste(LONG), enter):
            running.app.post_message(event)
        await running.shown("Hello there.")
        question, _ = await running.branch()
        assert [a.name for a in question.attachments] == ["pasted text, 41 lines"]


async def test_a_paste_that_cannot_be_attached_is_in_the_composer(open_app: Opener) -> None:
    engine = ScriptedEngine()
    engine.media["pasted text, 41 lines"] = EngineError("The engine has stopped.")
    async with open_app(engine) as running:
        await running.paste(LONG)
        await running.until(lambda: running.problem)
        assert running.composer.text == LONG
        assert running.chips() == []


async def test_a_text_chip_opens_back_into_the_composer(open_app: Opener) -> None:
    async with open_app() as running:
        await running.paste(LONG)
        await running.until(running.chips)
        await running.pilot.press("shift+tab", "enter")
        await running.until(lambda: running.composer.text == LONG, "the text")
        assert running.chips() == []
        assert running.composer.has_focus


async def test_a_dropped_text_file_is_attached(open_app: Opener, tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("# Notes\n````\n")
    async with open_app() as running:
        await running.drop(path)
        await running.send("")
        await running.until(lambda: running.engine.requests)
        (part,) = running.engine.requests[0].messages[0].parts
        assert part == TextPart("File “notes.md”:\n`````\n# Notes\n````\n`````")


async def test_at_completes_files_and_attaches_the_chosen(
    open_app: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my pictures").mkdir()
    (tmp_path / "my pictures" / "blue square.png").write_bytes(b"x")
    (tmp_path / "notes.md").write_text("x")
    monkeypatch.chdir(tmp_path)
    async with open_app() as running:
        await running.type("look at @squ")
        await running.until(lambda: listed(running) == ["my pictures/blue square.png"], "the file")
        await running.pilot.press("enter")
        await running.until(lambda: running.chips() == ["blue square.png"])
        assert (running.composer.text, listed(running)) == ("look at ", [])
        await running.type("and @my")
        await running.until(lambda: "my pictures/" in listed(running)[:1], "the folder")
        await running.pilot.press("tab")
        assert running.composer.text == 'look at and @"my pictures/'
        await running.until(lambda: listed(running) == ["my pictures/blue square.png"], "inside")
        await running.pilot.press("escape")
        assert listed(running) == []
        assert running.engine.requests == []


def test_files_are_found_in_a_tree(tmp_path: Path) -> None:
    for name in ("src/deep/Main.py", "node_modules/main.js", ".git/main", "main.txt", ".hidden"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "src" / "back").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "main.fifo")
    odd = os.fsencode(tmp_path) + b"/main\xff\n\x1b.bin"
    with open(odd, "wb"):  # noqa: PTH123  # a name that is not UTF-8
        pass
    shown = [item.shown for item in search_files("main", tmp_path)]
    assert shown == ["main.txt", os.fsdecode(b"main\xff\n\x1b.bin"), "src/deep/Main.py"]
    assert [item.shown for item in search_files("mpy", tmp_path)] == ["src/deep/Main.py"]
    assert [item.shown for item in search_files("node_modules/", tmp_path)] == [
        "node_modules/main.js"
    ]
    assert ".hidden" in [item.shown for item in search_files(".h", tmp_path)]
    absolute = [item.shown for item in search_files(f"{tmp_path}/src/", tmp_path)]
    assert absolute == [f"{tmp_path}/src/back", f"{tmp_path}/src/deep"]
    for nowhere in ("no/such/", "~nobody/", "a\0b/"):
        assert search_files(nowhere, tmp_path) == ()


def test_no_more_files_are_found_than_anyone_looks_at(tmp_path: Path) -> None:
    for index in range(MAX_FOUND + 10):
        (tmp_path / f"file{index}").touch()
    assert len(search_files("", tmp_path)) == MAX_FOUND


async def test_up_edits_the_last_question_in_a_branch(open_app: Opener) -> None:
    async with open_app() as running:
        for text in ("first", "second"):
            await running.send(text)
            await idle(running)
        await running.pilot.press("up")
        await running.until(lambda: running.composer.text == "second")
        assert "You edit an earlier question" in running.text()
        await running.type(" thoughts")
        await running.pilot.press("enter")
        await running.until(lambda: len(running.engine.requests) == 3)
        await idle(running)
        branch = await running.branch()
        assert [m.text for m in branch if m.role == "user"] == ["first", "second thoughts"]
        assert "You edit" not in running.text()
        assert running.text().count("second") == 1, "the old branch is not shown"
        assert len(running.engine.requests[2].messages) == 3


async def test_esc_leaves_editing_and_undo_brings_the_words_back(open_app: Opener) -> None:
    async with open_app() as running:
        await running.send("first")
        await idle(running)
        await running.send("/edit")
        await running.until(lambda: running.composer.text == "first")
        await running.type(" words")
        await running.pilot.press("escape")
        assert running.composer.text == ""
        assert "You edit" not in running.text()
        await running.pilot.press("ctrl+z")
        assert running.composer.text == "first words"
        await running.pilot.press("enter")
        await running.until(lambda: len(running.engine.requests) == 2)
        await idle(running)
        assert len(await running.branch()) == 4, "it is asked behind the others"


async def test_an_edit_that_cannot_be_asked_goes_on(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.send("first")
        await idle(running)
        running.engine.set_state(EngineState("ready", replace(MODEL, can_see=False)))
        await running.pilot.press("up")
        await running.until(lambda: running.composer.text == "first")
        await running.drop(picture)
        await running.pilot.press("enter")
        await running.until(lambda: "cannot see" in running.problem)
        await idle(running)
        assert running.composer.text == "first"
        assert "You edit an earlier question" in running.text()
        await running.pilot.press("shift+tab", "delete")
        await running.send(" again")
        await running.until(lambda: len(running.engine.requests) == 2)
        await idle(running)
        assert [m.text for m in await running.branch() if m.role == "user"] == ["first again"]


async def test_earlier_questions_of_all_conversations_come_back(open_app: Opener) -> None:
    async with open_app() as running:
        for text in ("first", "second"):
            await running.send(text)
            await idle(running)
            await running.pilot.press("ctrl+n")
            await running.until(lambda: running.app.chat_screen._page.conversation is None)
        await running.type("mine")
        await running.pilot.press("ctrl+up")
        await running.until(lambda: running.composer.text == "second")
        await running.pilot.press("ctrl+up")
        await running.until(lambda: running.composer.text == "first")
        await running.pilot.press("ctrl+up")
        await running.app.chat_screen._drafts.save()
        assert await running.store.load_draft(None) == Draft("mine")
        await running.pilot.press("ctrl+down")
        await running.until(lambda: running.composer.text == "second")
        await running.pilot.press("ctrl+down")
        await running.until(lambda: running.composer.text == "mine")


async def test_what_was_typed_survives_an_earlier_question_that_is_sent(open_app: Opener) -> None:
    async with open_app() as running:
        await running.send("first")
        await idle(running)
        await running.type("mine")
        await running.pilot.press("ctrl+up")
        await running.until(lambda: running.composer.text == "first")
        await running.type(" again")
        await running.until(lambda: running.app.chat_screen._panel.draft.text.startswith("mine"))
        assert running.app.chat_screen._panel.draft == Draft("mine\nfirst again")
        await running.pilot.press("ctrl+down")
        await running.until(lambda: running.composer.text == "mine\nfirst again")
        running.composer.take("mine")
        await running.pilot.press("ctrl+up")
        await running.until(lambda: running.composer.text == "first")
        await running.type(" again")
        await running.pilot.press("enter")
        await running.until(lambda: len(running.engine.requests) == 2)
        await running.until(lambda: running.composer.text == "mine")
        await idle(running)
        assert (await running.branch())[2].text == "first again"


async def test_the_cost_is_shown_before_enter(open_app: Opener) -> None:
    usage = Usage(prompt_tokens=1000, generated_tokens=2, prefill_seconds=10.0, decode_seconds=1.0)
    hold = Hold()
    engine = ScriptedEngine(["Hello", Finished("stop", usage)], [hold])
    async with open_app(engine) as running:
        await running.type("a" * 400)
        await running.shown("tokens · ")
        assert "first token" not in running.text(), "no speed was measured yet"
        await running.pilot.press("enter")
        await idle(running)
        assert "% of context" not in running.text()
        await running.type("b" * 1500)
        await running.until(lambda: "first token in ~" in running.text(), "seconds")
        running.composer.take("c" * 9000)
        await running.shown("tokens too many for the context of 8,192.")
        await running.pilot.press("f8")
        await running.shown("the oldest turns will be left out")
        running.composer.take("")
        await running.until(lambda: "too many" not in running.text())
        await running.send("more")
        await hold.reached.wait()
        count = len(engine.counted)
        await running.type("while it is written nothing is counted")
        assert running.app.chat_screen._cost._timer is None
        assert len(engine.counted) == count


def test_cost_in_words() -> None:
    size = PromptSize(1234, 0, 256, 8192)
    assert cost_sentence(size, 3.2, 80) == ("1,234 tokens · 15 % of context · first token in ~3 s")
    assert cost_sentence(size, 0.2, 80).endswith("first token in under 1 s")
    assert cost_sentence(size, 3.2, 40) == "1,234 tokens · 15 % of context"
    assert excess_sentence(size, drops_oldest=False) == ""
    assert "900 tokens too many" in excess_sentence(replace(size, tokens=8836), drops_oldest=False)


async def test_a_composer_grows_to_a_third_of_the_screen(open_app: Opener) -> None:
    async with open_app(size=(100, 30)) as running:
        await running.type("\n".join("abcdefghijklmnopqrst"))
        await running.pilot.pause()
        assert running.composer.outer_size.height == 9
        assert running.composer.max_scroll_y > 0
