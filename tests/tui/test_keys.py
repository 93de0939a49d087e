"""Keys: every one has an id, help and docs/keys.md show them all, and they can be others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.conversation import MessageState
from gemma_tui.frontend.commands import COMMANDS
from gemma_tui.generation import TextDelta
from gemma_tui.tui.keymap import check_keymap
from gemma_tui.tui.keys import key_groups, key_words
from gemma_tui.tui.screens.help import HelpScreen
from gemma_tui.tui.screens.tour import TourScreen
from tests.scripted_engine import Hold, ScriptedEngine
from tests.tui.keys_reference import DOCUMENT, page

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.tui.conftest import Opener

BINDINGS = [binding for group in key_groups() for binding in group.bindings]


def test_every_binding_has_an_id_of_its_own_that_says_where_it_acts() -> None:
    ids = [binding.id for binding in BINDINGS]
    assert None not in ids
    assert len(set(ids)) == len(ids)
    for group in key_groups():
        for binding in group.bindings:
            assert str(binding.id).startswith(f"{group.area}.")
            assert binding.description


def test_the_documentation_is_that_of_the_program() -> None:
    assert DOCUMENT.read_text("utf-8") == page(), "run python -m tests.tui.keys_reference"


def test_a_command_names_the_key_that_does_the_same() -> None:
    words = {word for binding in BINDINGS for word in key_words(binding.key).split("  ")}
    words.add("Up")  # no binding: only in the empty composer
    assert {command.key for command in COMMANDS if command.key} <= words


@pytest.mark.parametrize(
    ("key", "words"),
    [("ctrl+n", "Ctrl+N"), ("f4,plus", "F4  +"), ("A", "Shift+A"), ("shift+f5", "Shift+F5")],
)
def test_keys_in_words(key: str, words: str) -> None:
    assert key_words(key) == words


@pytest.mark.parametrize(
    ("name", "key", "reason"),
    [
        ("chat.nwe", "f6", "Did you mean “chat.new”?"),
        ("chat.new", "ctrl+nothing", "is no key"),
        ("chat.new", "", "is no key"),
        ("chat.new", "ctrl+m", "cannot tell Ctrl+M from Enter"),
        ("chat.new", "x", "is typed there"),
        ("chat.new", "ctrl+k", "edits the text"),
        ("chat.new", "ctrl+b", "“Show or hide the conversations” (chat.toggle_list)"),
        ("chat.new", "f2", "“Settings” (app.settings)"),
        ("message.copy", "e", "“Edit” (message.edit)"),
        ("app.help", "delete", "edits the text"),
    ],
)
def test_a_key_that_cannot_be_had_is_told_and_the_default_stays(
    name: str, key: str, reason: str
) -> None:
    keymap, (problem,) = check_keymap({name: key})
    assert keymap == {}
    assert reason in problem


def test_keys_can_change_places() -> None:
    wanted = {"chat.new": "f11", "chat.toggle_list": "ctrl+n"}
    assert check_keymap(wanted) == (wanted, ())


@given(st.dictionaries(st.sampled_from([str(b.id) for b in BINDINGS]) | st.text(), st.text()))
def test_whatever_a_file_says_is_taken_or_told(wanted: dict[str, str]) -> None:
    keymap, problems = check_keymap(wanted)
    assert len(keymap) + len(problems) == len(wanted)


def write_keys(paths: Paths, *lines: str) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text("\n".join(("[keys]", *lines)))


async def test_other_keys_are_obeyed_and_shown(open_app: Opener, paths: Paths) -> None:
    write_keys(
        paths,
        'chat.find = "shift+f9"',
        '"chat.new" = "f11"',
        '"app.help" = "shift+f1"',
        '"composer.newline" = "f10"',
        '"chat.retry" = "x"',
    )
    async with open_app(size=(110, 40)) as running:
        await running.shown("[keys] chat.retry: “x” is typed there. Ctrl+R stays.")
        commands = running.app.get_system_commands(running.app.screen)
        assert ("New conversation", "/new  F11") in [command[:2] for command in commands]
        await running.type("one")
        await running.pilot.press("f10", "t")
        assert running.composer.text == "one\nt"
        await running.until(lambda: "Shift+F1 help" in running.status)
        await running.pilot.press("f1")
        assert running.app.screen is running.app.chat_screen
        await running.pilot.press("shift+f1")
        await running.until(lambda: isinstance(running.app.screen, HelpScreen))
        await running.shown("Shift+F1")
        await running.pilot.press("escape", "shift+f9")
        await running.until(lambda: running.app.screen.query("FindBar Input"), "the search")


async def test_help_has_every_key_and_every_command(open_app: Opener) -> None:
    async with open_app(size=(110, 260)) as running:
        await running.pilot.press("f1")
        await running.shown("↑↓ scroll · Esc")
        text = running.text()
        for group in key_groups():
            assert group.title in text
            for binding in group.bindings:
                assert str(binding.id).startswith("tabs.show_") or key_words(binding.key) in text
        for command in COMMANDS:
            assert command.usage in text
            assert command.title in text
        assert "Everything happens on this computer" in text


async def test_the_status_line_names_the_keys_of_what_has_the_focus(
    open_app: Opener, tmp_path: Path
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"picture")
    async with open_app(size=(110, 30)) as running:
        await running.until(lambda: "F1 help" in running.status)
        await running.drop(picture)
        await running.pilot.press("shift+tab")
        await running.until(lambda: "F4 tokens · Delete remove" in running.status, running.status)
        running.conversations.focus()
        await running.until(lambda: "Enter open · M menu" in running.status, running.status)


async def test_the_tour_is_shown_once_and_again_when_asked_for(open_app: Opener) -> None:
    first_run = {"GEMMA_TUI_TOUR": ""}
    async with open_app(environ=first_run) as running:
        await running.until(lambda: isinstance(running.app.screen, TourScreen))
        await running.shown("Nothing leaves it")
        await running.pilot.press("enter")
        await running.shown("A picture costs tokens")
        await running.pilot.press("right")
        await running.shown("Show or hide the conversations")
        await running.pilot.press("left")
        await running.shown("2 of 3")
        await running.pilot.press("right", "enter")
        await running.until(lambda: running.app.screen is running.app.chat_screen)
        await running.until(lambda: running.composer.has_focus)
    async with open_app(environ=first_run) as running:
        await running.shown("ready")
        assert running.app.screen is running.app.chat_screen
        await running.send("/tour")
        await running.until(lambda: isinstance(running.app.screen, TourScreen))
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.app.chat_screen)


@pytest.mark.parametrize("key", ["f1", "f2", "f7", "ctrl+l"])
async def test_the_key_that_opens_a_page_closes_it(open_app: Opener, key: str) -> None:
    async with open_app(size=(60, 18)) as running:
        await running.pilot.press(key)
        await running.until(lambda: running.app.screen is not running.app.chat_screen)
        await running.pilot.press(key)
        await running.until(lambda: running.app.screen is running.app.chat_screen)


@pytest.mark.parametrize("key", ["f1", "f2", "f3", "ctrl+l", "ctrl+o", "ctrl+p"])
async def test_ctrl_c_stops_a_reply_from_every_page_and_then_says_how_to_quit(
    open_app: Opener, key: str
) -> None:
    engine = ScriptedEngine([TextDelta("and so on"), Hold()])
    async with open_app(engine) as running:
        await running.send("begin")
        await running.shown("and so on")
        await running.pilot.press(key)
        await running.until(lambda: running.app.screen is not running.app.chat_screen)
        await running.pilot.press("ctrl+c")
        await running.until(lambda: "ready" in running.status)
        assert (await running.branch())[-1].state is MessageState.CANCELLED
        assert running.app.screen is not running.app.chat_screen
        await running.pilot.press("ctrl+c")
        await running.shown("Ctrl+Q quits.")


async def test_esc_pressed_twice_stops_and_does_nothing_else(open_app: Opener) -> None:
    engine = ScriptedEngine([TextDelta("and so on"), Hold()])
    async with open_app(engine) as running:
        await running.send("begin")
        await running.shown("and so on")
        await running.type("what I type meanwhile")
        await running.pilot.press("escape", "escape")
        await running.until(lambda: "ready" in running.status)
        assert running.composer.text == "what I type meanwhile"
        assert [message.text for message in await running.branch()] == ["begin", "and so on"]
        assert running.app.screen is running.app.chat_screen
        assert running.app.focused is running.composer
