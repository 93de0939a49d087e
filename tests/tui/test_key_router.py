"""Which keys are typing, and which act."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.widgets import Input

from gemma_tui.tui.key_parser import KeyParser
from gemma_tui.tui.screens.settings import SettingsScreen
from gemma_tui.tui.transcript.widget import Transcript
from tests.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from textual.widget import Widget

    from tests.tui.conftest import Opener, Running


def burst(running: Running, written: str) -> None:
    """What a terminal writes at once, as the driver hands it to the app."""
    for message in KeyParser().feed(written):
        running.app.post_message(message)


async def converse(running: Running) -> None:
    await running.send("first")
    await running.until(lambda: "ready" in running.status and running.conversations.row_count)


async def focus(running: Running, widget: Widget) -> None:
    widget.focus()
    await running.until(lambda: widget.has_focus)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("\x1b1", "alt+1"),
        ("\x1b[49;3u", "alt+1"),
        ("\x1b[49;3;49u", "alt+1"),
        ("\x1b[110;3;110u", "alt+n"),
        ("\x1b[110;3;241u", "ñ"),  # Option on a Mac types
        ("\x1b[97;;97u", "a"),
        ("1", "1"),
    ],
)
def test_alt_and_a_key_is_one_key(written: str, key: str) -> None:
    assert [event.key for event in KeyParser().feed(written) if isinstance(event, events.Key)] == [
        key
    ]


async def test_letters_in_a_burst_are_text_wherever_the_focus_is(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await converse(running)
        await focus(running, running.conversations)
        burst(running, "to A map, Show me a tape.")
        await running.until(lambda: running.composer.text == "to A map, Show me a tape.")
        assert running.composer.has_focus
        transcript = running.app.chat_screen.query_one(Transcript)
        await focus(running, transcript)
        burst(running, " What is an orange?")
        await running.until(lambda: running.composer.text.endswith("tape. What is an orange?"))
        await focus(running, transcript)
        burst(running, "rest of it")
        await running.until(lambda: running.composer.text.endswith("orange?rest of it"))
        assert running.app.chat_screen.desk.turn is None
        (conversation,) = running.conversations._conversations  # else it is archived
        assert not conversation.is_pinned


async def test_a_letter_alone_acts_and_one_held_down_repeats(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"], ["two"])) as running:
        await converse(running)
        transcript = running.app.chat_screen.query_one(Transcript)
        await focus(running, transcript)
        burst(running, "k")
        await running.until(lambda: transcript.chosen and transcript.chosen.role == "user")
        burst(running, "jj")
        await running.until(lambda: transcript.chosen and transcript.chosen.role == "model")
        burst(running, "k\r")  # a key that types nothing: the letter before it acted
        await running.until(lambda: transcript.chosen and transcript.chosen.role == "user")
        assert running.composer.text == ""


async def test_a_burst_in_the_settings_is_looked_for(open_app: Opener) -> None:
    async with open_app() as running:
        await running.pilot.press("f2")
        await running.until(lambda: isinstance(running.app.screen, SettingsScreen))
        field = running.app.screen.query_one("#search", Input)
        await running.pilot.press("t", "o", "p")
        assert field.value == "top"
        await running.pilot.press("escape")
        burst(running, "longest rep")
        await running.until(lambda: field.value == "longest rep")
        await running.until(lambda: "Temperature" not in running.text())
        assert "Longest reply" in running.text()


async def test_escape_leaves_the_list_and_gives_its_columns_back(open_app: Opener) -> None:
    async with open_app(size=(60, 18)) as running:
        await running.pilot.press("ctrl+b")
        await running.until(lambda: running.conversations.has_focus)
        assert running.conversations.size.width > 0
        await running.pilot.press("escape")
        await running.until(lambda: not running.conversations.display)
        assert running.composer.has_focus
    async with open_app() as running:
        await focus(running, running.conversations)
        await running.pilot.press("escape")
        assert running.composer.has_focus
        assert running.conversations.display


async def test_shift_tab_without_chips_stays_in_the_composer(open_app: Opener) -> None:
    async with open_app(ScriptedEngine(["one"])) as running:
        await converse(running)
        running.composer.focus()
        await running.pilot.press("shift+tab")
        await running.shown("Nothing is attached.")
        assert running.composer.has_focus
