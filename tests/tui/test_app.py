"""The app as a whole: hostile names, odd sizes, help, palette, copying, leaving."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.engine.interface import EngineState
from gemma_tui.tui.clipboard import clipboard_command, to_clipboard
from gemma_tui.tui.screens.help import HelpScreen
from gemma_tui.tui.transcript.widget import Transcript
from tests.scripted_engine import Hold, ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener

HOSTILE_NAMES = [
    "a\x1b]52;c;aGk=\x07.png",
    "[@click=app.quit]x.png",
    "a [b] [$nope].png",
    "\u202egnp.exe.png",
    "\x9b31mred.png",
    "tag\U000e0041\u200b.png",
    "e\u0301" * 60 + ".png",
]

UNSAFE = {chr(code) for code in [*range(0x20), 0x7F, *range(0x80, 0xA0)]} - {"\n"}
UNSAFE |= {"\u202e", "\u200b", "\U000e0041"}


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
async def test_hostile_file_names_are_shown_not_obeyed(
    open_app: Opener, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"x")
    bad = tmp_path / name.replace(".png", ".txt")
    bad.write_bytes(b"x")
    async with open_app() as running:
        await running.paste(f"'{path}'")
        await running.until(lambda: running.tray.attachments)
        assert running.tray.attachments[0].name == name
        await running.paste(f"'{bad}'")
        await running.until(lambda: running.problem)
        assert not UNSAFE & set(running.text())
        while not running.engine.requests:  # Enter right behind a paste is not obeyed
            await running.pilot.press("enter")  # the name becomes the title
        await running.shown("Hello there.")
        await running.until(lambda: running.conversations.row_count == 2)
        assert not UNSAFE & set(running.text())
        assert running.app.is_running


async def test_hostile_titles_and_words_are_shown_not_obeyed(open_app: Opener) -> None:
    hostile = "[/b] [@click=app.quit]x[/] \x1b]0;title\x07 \x9b31m \u202e"
    async with open_app(ScriptedEngine([hostile])) as running:
        await running.paste(hostile)
        while not running.engine.requests:  # Enter right behind a paste is not obeyed
            await running.pilot.press("enter")
        await running.until(lambda: running.text().count("[@click=app.quit]x[/]") >= 3)
        assert not UNSAFE & set(running.text())
        running.conversations.focus()
        await running.pilot.press("delete")
        await running.shown("Deleted")
        assert not UNSAFE & set(running.text())


@pytest.mark.parametrize("size", [(60, 18), (40, 10), (20, 5), (10, 3), (200, 50)], ids=str)
async def test_it_fits_any_screen(open_app: Opener, size: tuple[int, int], picture: Path) -> None:
    async with open_app(size=size) as running:
        await running.drop(picture)
        await running.send("hello")
        await running.until(lambda: len(running.engine.requests) == 1)
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.pilot.press("ctrl+b", "f1", "escape", "ctrl+o", "escape", "ctrl+b")
        for line in running.text().splitlines():
            assert len(line) <= size[0]


async def test_a_storm_of_resizes_leaves_it_alive(open_app: Opener, picture: Path) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["some *words* ", hold, "more"])) as running:
        await running.drop(picture)
        await running.send("hello")
        await hold.reached.wait()
        for size in [(1, 1), (20, 5), (500, 200), (3, 40), (120, 2), (89, 15), (90, 16), (100, 30)]:
            await running.pilot.resize_terminal(*size)
        hold.release()
        await running.shown("some words more")


async def test_help_says_every_key(open_app: Opener) -> None:
    async with open_app(size=(100, 300)) as running:
        await running.pilot.press("f1")
        await running.until(lambda: isinstance(running.app.screen, HelpScreen))
        await running.shown("Ctrl+R")
        for key in (
            "Enter",
            "Ctrl+J",
            "Esc",
            "Ctrl+T",
            "Ctrl+O",
            "F4",
            "Ctrl+N",
            "Ctrl+B",
            "Ctrl+Q",
        ):
            assert key in running.text()
        assert "never leave" in running.text()
        await running.pilot.press("escape")
        await running.until(lambda: not isinstance(running.app.screen, HelpScreen))
        assert running.composer.has_focus


async def test_the_palette_offers_what_the_keys_do(open_app: Opener) -> None:
    async with open_app() as running:
        names = [command.title for command in running.app.get_system_commands(running.app.screen)]
        assert {"New conversation", "Answer again", "Colours: high contrast, dark", "Quit"} <= set(
            names
        )
        await running.pilot.press("ctrl+p")
        await running.until(lambda: running.app.screen is not running.app.chat_screen)
        await running.pilot.press(*"light", "enter")
        await running.until(lambda: running.app.theme == "gemma-light")


async def test_ctrl_c_copies_then_stops_then_says_how_to_quit(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine([hold])) as running:
        await running.type("copy me")
        running.composer.select_all()
        await running.pilot.press("ctrl+c")
        assert running.app.clipboard == "copy me"
        await running.send("question")
        await hold.reached.wait()
        await running.pilot.press("ctrl+c")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.pilot.press("ctrl+c")
        await running.shown("Ctrl+Q quits")


@pytest.mark.parametrize("keys", [("ctrl+b", "ctrl+b"), ("tab",), ("f1",)])
async def test_a_drop_lands_in_the_composer_whatever_has_the_focus(
    open_app: Opener, picture: Path, keys: tuple[str, ...]
) -> None:
    async with open_app() as running:
        await running.pilot.press(*keys)
        assert running.app.focused is not running.composer
        await running.drop(picture)
        assert running.chips() == ["red circle.png"]
        await running.paste("words")
        await running.until(lambda: running.composer.text == "words", "the paste")
        await running.pilot.press("escape")
        assert running.app.focused is running.composer


async def test_typing_lands_in_the_composer_whatever_has_the_focus(open_app: Opener) -> None:
    async with open_app() as running:
        running.conversations.focus()
        await running.pilot.press("h", "i", "space", "?")
        assert running.composer.text == "hi ?"
        assert running.composer.has_focus


async def test_letters_that_mean_something_where_they_are_typed_stay_there(
    open_app: Opener,
) -> None:
    async with open_app() as running:
        running.app.chat_screen.query_one(Transcript).focus()
        await running.pilot.press("t", "t")
        assert running.composer.text == ""


async def test_what_a_copy_of_a_model_lacks_is_said(open_app: Opener) -> None:
    async with open_app() as running:
        lacks = replace(running.engine.model, limitations=("This copy cannot hear.",))
        running.engine.set_state(EngineState("ready", lacks))
        await running.until(lambda: "This copy cannot hear." in running.problem)


async def test_page_keys_scroll_the_transcript_from_the_composer(open_app: Opener) -> None:
    long = "\n\n".join(f"paragraph {number}" for number in range(60))
    async with open_app(ScriptedEngine([long])) as running:
        await running.send("long")
        await running.shown("paragraph 59")
        await running.pilot.press("pageup")
        await running.until(lambda: "paragraph 59" not in running.text())
        await running.pilot.press("pagedown")
        await running.shown("paragraph 59")
        assert running.composer.has_focus


def test_the_clipboard_of_a_mac_is_reached_unless_over_ssh(tmp_path: Path) -> None:
    command = tmp_path / "pbcopy"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    path = {"PATH": str(tmp_path)}
    assert clipboard_command("darwin", path) == (str(command),)
    assert clipboard_command("darwin", {**path, "SSH_CONNECTION": "x"}) == ()
    assert clipboard_command("linux", path) == ()
    assert clipboard_command("darwin", {"PATH": ""}) == ()


async def test_the_clipboard_command_gets_the_text(tmp_path: Path) -> None:
    copy = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    target = tmp_path / "clipboard"
    assert await to_clipboard("ü\n", (sys.executable, "-c", copy, str(target)))
    assert target.read_text(encoding="utf-8") == "ü\n"
    assert not await to_clipboard("x", (sys.executable, "-c", "raise SystemExit(1)"))
