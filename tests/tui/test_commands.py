"""Commands: what `/` offers, what runs, what is refused, what is sent as a text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from textual.widgets import TextArea

from gemma_tui.errors import UsageError
from gemma_tui.frontend.commands import (
    COMMANDS,
    ONLY_IN_PLAIN_MODE,
    Command,
    find_command,
    parse_call,
    plain_text,
    unknown_command,
)
from gemma_tui.plain.commands import ONLY_ON_A_SCREEN, PLAIN_COMMANDS
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.tui.app import GemmaApp
from gemma_tui.tui.completing import candidates_of, find_token
from gemma_tui.tui.screens.chat import ChatScreen
from gemma_tui.tui.screens.prose import ProseScreen
from gemma_tui.tui.widgets.completion_list import CompletionList
from tests.scripted_engine import Hold, ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running


def listed(running: Running) -> list[str]:
    shown = running.app.chat_screen.query_one(CompletionList)
    return [item.label for item in shown.candidates]


def test_every_command_has_its_own_name_and_an_action_that_exists() -> None:
    names = [name for command in COMMANDS for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names))
    for command in COMMANDS:
        namespace, _, action = command.action.partition(".")
        owner = GemmaApp if namespace == "app" else ChatScreen
        assert callable(getattr(owner, f"action_{action}")), command
        assert command.argument or not command.needs_argument


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("/new", "new", ""),
        ("/NEW  ", "new", ""),
        ("/clear", "new", ""),
        ("/budget 70", "budget", "70"),
        ("/think ON", "think", "on"),
        ("/rename  Two\nlines ", "rename", "Two\nlines"),
    ],
)
def test_what_a_line_calls(text: str, name: str, argument: str) -> None:
    call = parse_call(text)
    assert call is not None
    assert (call.command.name, call.argument) == (name, argument)


@pytest.mark.parametrize(
    "text", ["/", "//new", " /new", "/etc/hosts", "/neww", "new", "/a.png", ""]
)
def test_what_calls_nothing(text: str) -> None:
    assert parse_call(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("/budget", "needs an argument"), ("/budget 71", "does not know"), ("/new x", "no argument")],
)
def test_a_wrong_argument_is_a_sentence(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_call(text)


def test_a_misspelt_command_gets_the_nearest() -> None:
    assert "Did you mean /retry?" in str(unknown_command("/rety"))
    assert "Type / to see" in str(unknown_command("/xyzzy now"))
    assert (plain_text("//new a"), plain_text("// a"), plain_text("//a/b")) == (
        "/new a",
        "// a",
        "//a/b",
    )


@pytest.mark.parametrize(
    ("text", "kind", "typed"),
    [
        ("/", "command", ""),
        ("/Ne", "command", "ne"),
        ("/budget ", "argument", ""),
        ("/budget 28", "argument", "28"),
        ("see @src/a", "file", "src/a"),
        ('see @"my fol', "file", "my fol"),
        ("@", "file", ""),
    ],
)
def test_what_is_being_completed(text: str, kind: str, typed: str) -> None:
    token = find_token(text, 0, len(text))
    assert token is not None
    assert (token.kind, token.typed) == (kind, typed)


@pytest.mark.parametrize("text", ["me@home", "a /ne", "/new x", "/nosuch ", "@a b", "//ne", ""])
def test_what_is_not_completed(text: str) -> None:
    assert find_token(text, 0, len(text)) is None


def test_names_that_begin_as_typed_come_first() -> None:
    token = find_token("/th", 0, 3)
    assert token is not None
    keys = [candidate.key for candidate in candidates_of(token)]
    assert keys[:2] == ["think", "theme"]


async def test_slash_opens_a_list_and_tab_completes(open_app: Opener) -> None:
    async with open_app() as running:
        await running.type("/")
        assert len(listed(running)) == len(COMMANDS)
        assert "/settings" in running.text()
        await running.type("bu")
        await running.until(lambda: len(listed(running)) == 1, "the list")
        await running.pilot.press("tab")
        assert running.composer.text == "/budget "
        await running.until(lambda: listed(running) == ["70", "140", "280", "560", "1120", "auto"])
        await running.pilot.press("down", "down", "up", "tab")
        assert running.composer.text == "/budget 140"
        assert running.composer.has_focus
        await running.pilot.press("ctrl+z")
        assert running.composer.text == "/budget "


async def test_enter_takes_the_chosen_command_and_runs_it(open_app: Opener) -> None:
    async with open_app() as running:
        assert "thinking off" in running.status
        await running.type("/thin")
        await running.pilot.press("enter")
        await running.until(lambda: "thinking on" in running.status)
        assert (running.composer.text, listed(running)) == ("", [])
        await running.send("/think off")
        await running.until(lambda: "thinking off" in running.status)
        assert running.engine.requests == []


async def test_esc_closes_the_list_and_does_not_stop_the_reply(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine([hold, "done"])) as running:
        await running.send("question")
        await hold.reached.wait()
        await running.type("/st")
        assert listed(running)
        await running.pilot.press("escape")
        assert listed(running) == []
        assert running.composer.text == "/st"
        turn = running.app.chat_screen.desk.turn
        assert turn is not None
        assert not turn.is_stopping
        await running.type("op")
        assert listed(running) == [], "closed until another word is begun"
        await running.pilot.press("enter")
        await running.until(lambda: running.app.chat_screen.desk.turn is None, "the end")
        assert running.composer.text == ""


async def test_an_unknown_command_is_an_error_and_stays(open_app: Opener) -> None:
    async with open_app() as running:
        await running.send("/rety now")
        await running.until(lambda: "Did you mean /retry?" in running.problem)
        assert running.composer.text == "/rety now"
        await running.pilot.press("enter")
        await running.pilot.pause()
        assert running.engine.requests == []


@pytest.mark.parametrize(
    ("typed", "sent"), [("//retry me", "/retry me"), (" /retry me", " /retry me")]
)
async def test_a_text_may_begin_with_a_slash(open_app: Opener, typed: str, sent: str) -> None:
    async with open_app() as running:
        await running.send(typed)
        await running.until(lambda: running.engine.requests)
        question, _ = await running.branch()
        assert question.text == sent


async def test_a_command_that_cannot_run_says_why_and_stays(open_app: Opener) -> None:
    async with open_app() as running:
        for text, words in [
            ("/retry", "no question"),
            ("/continue", "no cut-off reply"),
            ("/stop", "No reply is being written"),
            ("/delete", "does not exist yet"),
            ("/budget 70", "No picture"),
            ("/attach nosuch.png", "no file"),
        ]:
            running.composer.take(text)
            running.composer.submit()
            await running.until(partial(_says, running, words), text)
            assert running.composer.text == text


async def test_commands_about_the_conversation(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.send(f"/attach {picture}")
        await running.until(lambda: running.chips() == ["red circle.png"])
        await running.send("/budget 70")
        await running.until(lambda: running.tray.attachments[0].token_budget == 70)
        await running.send("what is it?")
        await running.shown("Hello there.")
        await running.until(lambda: "ready" in running.status)
        await running.send("/copy")
        await running.until(lambda: running.app.clipboard == "Hello there.")
        await running.send("/rename My \x1b[31mcircle")
        await running.until(lambda: "My" in running.text().split("\n")[0], "the title")
        assert (await running.store.get(1)).title == "My ␛[31mcircle"
        await running.send("/pin")
        await running.shown("Pinned.")
        assert (await running.store.get(1)).is_pinned
        await running.send("/retry")
        await running.until(lambda: len(running.engine.requests) == 2)
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.send("/delete")
        await running.shown("Deleted")
        assert await running.store.list() == ()


async def test_the_palette_begins_a_command_that_needs_an_argument(open_app: Opener) -> None:
    async with open_app() as running:
        await running.app.chat_screen.run_command(_command("budget"))
        assert running.composer.text == "/budget "
        await running.pilot.pause()
        with pytest.raises(UsageError, match="needs an argument"):
            await running.app.chat_screen.run_command(_command("rename"))


def _says(running: Running, words: str) -> bool:
    return words in running.problem


def _command(name: str) -> Command:
    found = find_command(name)
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["/theme light", "/theme gemma-light"])
def test_a_theme_has_a_short_name_and_its_old_one(text: str) -> None:
    call = parse_call(text)
    assert call is not None
    assert call.argument == "light"
    assert SCHEMA["theme"].check("gemma-light") == SCHEMA["theme"].parse("LIGHT") == "light"


def test_theme_alone_names_the_choices() -> None:
    with pytest.raises(UsageError, match="dark, light, contrast-dark, contrast-light or terminal"):
        parse_call("/theme")


def test_every_command_works_in_both_modes_or_says_what_to_do_instead() -> None:
    here, there = {c.name for c in COMMANDS}, {c.name for c in PLAIN_COMMANDS}
    assert set(ONLY_ON_A_SCREEN) == here - there
    assert set(ONLY_IN_PLAIN_MODE) == there - here
    for name, advice in ONLY_ON_A_SCREEN.items():
        error = unknown_command(f"/{name}", PLAIN_COMMANDS, ONLY_ON_A_SCREEN)
        assert str(error) == f"/{name} cannot work here. {advice}"
    unknown = unknown_command("/xyzzy", PLAIN_COMMANDS, ONLY_ON_A_SCREEN, "/help shows all.")
    assert "/xyzzy. /help shows all." in str(unknown)
    alias = unknown_command("/mic", PLAIN_COMMANDS, ONLY_ON_A_SCREEN)
    assert "/mic cannot work here. gemma-tui record" in str(alias)
    assert "/open cannot work here. Ctrl+B" in str(unknown_command("/open 3"))


async def test_the_system_prompt_of_this_conversation(open_app: Opener) -> None:
    async with open_app() as running:
        await running.send("/system Answer in Latin.")
        await running.shown("is told that first")
        await running.send("hello")
        await running.until(lambda: running.engine.requests)
        assert running.engine.requests[0].system_prompt == "Answer in Latin."
        await running.until(lambda: "ready" in running.status)
        await running.send("/system")
        await running.until(lambda: isinstance(running.app.screen, ProseScreen), "the editor")
        area = running.app.screen.query_one(TextArea)
        assert area.text == "Answer in Latin."
        area.text = "Answer in Greek."
        await running.pilot.press("ctrl+s")
        preferences = running.app.chat_screen.choosing.preferences
        await running.until(lambda: preferences.settings.system_prompt == "Answer in Greek.")
        assert "Greek" in (await running.store.get(1)).settings


async def test_a_deletion_and_an_attachment_are_undone_by_a_command(
    open_app: Opener, picture: Path
) -> None:
    async with open_app() as running:
        await running.send("/undo")
        await running.until(lambda: "Nothing was deleted" in running.problem)
        await running.type("")
        running.composer.clear()
        await running.send("bread")
        await running.until(
            lambda: "ready" in running.status and running.app.chat_screen._page.last
        )
        await running.send("/delete")
        await running.until(lambda: running.app.chat_screen.desk.deleted)
        await running.send("/undo")
        await running.shown("is back.")
        assert [item.title for item in await running.store.list()] == ["bread"]
        await running.drop(picture)
        await running.send("/detach")
        await running.until(lambda: not running.chips())
        await running.send("/detach")
        await running.until(lambda: "Nothing is attached." in running.problem)
