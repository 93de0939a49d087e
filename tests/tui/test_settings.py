"""The settings panel by keyboard and mouse, what it changes, and what stays where it was."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input, Static, TextArea

from gemma_tui.settings.presets import BUILT_IN
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.tui.screens.prose import ProseScreen
from gemma_tui.tui.screens.settings import SettingsScreen
from gemma_tui.tui.widgets.settings_list import SettingsList
from tests.scripted_engine import ScriptedEngine
from tests.tui.test_app import UNSAFE

if TYPE_CHECKING:
    from gemma_tui.paths import Paths
    from tests.tui.conftest import Opener, Running


def saved(paths: Paths) -> dict[str, Any]:
    return tomllib.loads(paths.settings.read_text()) if paths.settings.exists() else {}


def rows(running: Running) -> SettingsList:
    return running.app.screen.query_one(SettingsList)


def about(running: Running) -> str:
    return str(running.app.screen.query_one("#about", Static).render())


async def panel(running: Running, key: str = "") -> SettingsList:
    """Open the panel, and go to a setting."""
    await running.pilot.press("f2")
    await running.until(lambda: isinstance(running.app.screen, SettingsScreen), "the panel")
    found = rows(running)
    if key:
        await go(running, key)
    return found


async def go(running: Running, key: str) -> None:
    found = rows(running)
    found.focus()
    found.highlighted = [option.id for option in found.options].index(key)
    await running.pilot.pause()


async def test_every_setting_has_a_row_with_value_and_origin(open_app: Opener) -> None:
    async with open_app(size=(100, 45)) as running:
        found = await panel(running)
        listed = [key for key, setting in SCHEMA.items() if setting.about.is_listed]
        assert [option.id for option in found.options if option.id] == listed
        for key in listed:
            assert SCHEMA[key].about.label in running.text()
        assert "as the model says" in running.text()
        assert "command line" in running.text()


async def test_a_switch_holds_at_once_and_the_next_time(open_app: Opener, paths: Paths) -> None:
    async with open_app() as running:
        await panel(running, "thinking")
        await running.pilot.press("enter")
        assert running.app.chat_screen.choosing.preferences.options.thinking
        await running.pilot.press("escape")
        assert "thinking on" in running.status
        await running.until(lambda: saved(paths) == {"replies": {"thinking": True}})
        assert running.composer.has_focus
    async with open_app() as running:
        assert "thinking on" in running.status
        await running.send("hello")
        await running.until(lambda: running.engine.requests)
        assert running.engine.requests[0].options.thinking


async def test_keys_that_switch_are_remembered(open_app: Opener, paths: Paths) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+t", "f8")
        wanted = {"thinking": True, "overflow": "drop_oldest"}
        await running.until(lambda: saved(paths).get("replies") == wanted)
    async with open_app() as running:
        assert "thinking on" in running.status


async def test_numbers_are_stepped_typed_and_reset(open_app: Opener, paths: Paths) -> None:
    async with open_app() as running:
        await panel(running, "temperature")
        preferences = running.app.chat_screen.choosing.preferences
        await running.pilot.press("right")
        assert preferences.settings.temperature == 1.1
        await running.pilot.press("left", "left")
        assert preferences.settings.temperature == 0.9
        await running.pilot.press("enter")
        editor = running.app.screen.query_one("#editor", Input)
        assert editor.value == "0.9"
        editor.value = "hot"
        await running.pilot.press("enter")
        assert "cannot be 'hot'" in about(running)
        assert preferences.settings.temperature == 0.9
        editor.value = "0.25"
        await running.pilot.press("enter")
        await running.until(lambda: saved(paths) == {"sampling": {"temperature": 0.25}})
        await running.pilot.press("delete")
        assert preferences.resolved.value("temperature") is None
        await running.until(lambda: saved(paths) == {"sampling": {}})


async def test_escape_leaves_the_editor_then_the_search_then_the_panel(open_app: Opener) -> None:
    async with open_app() as running:
        await panel(running, "max_tokens")
        await running.pilot.press("enter", "escape")
        assert not running.app.screen.query_one("#editor").display
        await running.pilot.press("p", "e", "n", "a")
        await running.until(lambda: rows(running).option_count == 3)  # a heading and two penalties
        await running.pilot.press("escape")
        await running.until(lambda: rows(running).option_count > 20)
        await running.pilot.press("escape")
        await running.until(lambda: running.composer.has_focus, "the composer")


async def test_what_the_environment_says_cannot_be_changed_for_all(
    open_app: Opener, paths: Paths
) -> None:
    async with open_app(environ={"GEMMA_TUI_TEMPERATURE": "0.5"}) as running:
        await panel(running, "temperature")
        assert "GEMMA_TUI_TEMPERATURE is set" in about(running)
        await running.pilot.press("right", "delete", "enter")
        preferences = running.app.chat_screen.choosing.preferences
        assert preferences.settings.temperature == 0.5
        assert saved(paths) == {}
        await running.pilot.press("f3")
        await go(running, "temperature")
        await running.pilot.press("right")
        assert preferences.settings.temperature == 0.6


async def test_what_is_of_no_use_now_says_why(open_app: Opener) -> None:
    blind = ScriptedEngine()
    blind.set_state(
        type(blind.state)("ready", type(blind.model)("deaf", "x", False, False, 8192, 280, 1))
    )
    async with open_app(blind) as running:
        await panel(running, "token_budget")
        assert "No effect now: deaf cannot see." in about(running)
        await go(running, "max_thought_tokens")
        assert "Thinking is off." in about(running)
        await running.pilot.press("f3")
        await go(running, "theme")
        assert "the same in every conversation" in about(running)


async def test_a_conversation_has_its_own_and_keeps_it(open_app: Opener, paths: Paths) -> None:
    async with open_app() as running:
        await panel(running)
        await running.pilot.press("f3")
        await go(running, "temperature")
        await running.pilot.press("right", "escape")
        await running.send("one")  # created with what was set before it was
        await running.until(lambda: len(running.engine.requests) == 1)
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert running.engine.requests[0].options.sampling.temperature == 1.1
        assert json.loads((await running.store.get(1)).settings) == {"temperature": 1.1}
        await panel(running)
        await running.pilot.press("f3")
        await go(running, "thinking")
        await running.pilot.press("enter", "escape")
        await running.pilot.press("ctrl+n")
        await running.until(lambda: "thinking off" in running.status)
        await running.send("two")
        await running.until(lambda: len(running.engine.requests) == 2)
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert running.engine.requests[1].options.sampling.temperature is None
        kept = json.loads((await running.store.get(1)).settings)
        assert kept == {"temperature": 1.1, "thinking": True}
        assert saved(paths) == {}
        await running.app.chat_screen.desk.open(1)
        assert "thinking on" in running.status


async def test_a_system_prompt_is_taken_from_a_preset_and_sent(
    open_app: Opener, paths: Paths
) -> None:
    async with open_app() as running:
        await panel(running, "system_prompt")
        await running.pilot.press("enter")
        await running.until(lambda: isinstance(running.app.screen, ProseScreen), "the editor")
        await running.pilot.press("shift+tab", "enter")
        area = running.app.screen.query_one(TextArea)
        assert area.text == next(iter(BUILT_IN.values()))
        area.text = "Be [b]mine[/b].\nAlways."
        await running.pilot.press("f6")
        running.app.screen.query_one("#name", Input).value = "Mine \x1b[31m"
        await running.pilot.press("enter")
        await running.until(lambda: "presets" in saved(paths))
        (name,) = saved(paths)["presets"]
        assert not UNSAFE & set(name)
        await running.pilot.press("ctrl+s")
        await running.until(lambda: isinstance(running.app.screen, SettingsScreen), "the panel")
        await running.pilot.press("escape")
        await running.send("hello")
        await running.until(lambda: running.engine.requests)
        assert running.engine.requests[0].system_prompt == "Be [b]mine[/b].\nAlways."
        assert saved(paths)["replies"]["system_prompt"] == "Be [b]mine[/b].\nAlways."


@pytest.mark.parametrize(("term", "is_told"), [("xterm-256color", True), ("xterm-kitty", False)])
async def test_pixels_where_the_terminal_shows_none(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch, term: str, is_told: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    for nested in ("TMUX", "STY"):
        monkeypatch.delenv(nested, raising=False)
    async with open_app(environ={"GEMMA_TUI_PREVIEWS": "kitty"}) as running:
        await panel(running, "previews")
        await running.until(lambda: "How pictures are shown" in about(running))
        assert ("half blocks are drawn" in about(running)) is is_told


async def test_what_is_pasted_into_the_editor_is_not_pasted_behind_it(open_app: Opener) -> None:
    async with open_app() as running:
        await running.send("/system")
        await running.until(lambda: isinstance(running.app.screen, ProseScreen), "the editor")
        area = running.app.screen.query_one(TextArea)
        await running.until(lambda: area.has_focus)
        await running.paste("Be brief.")
        await running.until(lambda: area.text == "Be brief.")
        await running.pilot.press("ctrl+s")
        await running.until(lambda: not isinstance(running.app.screen, ProseScreen))
        assert running.composer.text == ""


async def test_an_unkept_text_is_not_lost_by_one_key(open_app: Opener, paths: Paths) -> None:
    async with open_app() as running:
        await panel(running, "system_prompt")
        await running.pilot.press("enter")
        await running.until(lambda: isinstance(running.app.screen, ProseScreen), "the editor")
        running.app.screen.query_one(TextArea).text = "Much work."
        await running.pilot.press("escape")
        assert isinstance(running.app.screen, ProseScreen)
        assert "Esc again leaves" in running.text()
        await running.pilot.press("escape")
        await running.until(lambda: isinstance(running.app.screen, SettingsScreen), "the panel")
        assert saved(paths) == {}


async def test_an_edit_by_hand_holds_when_the_panel_opens(open_app: Opener, paths: Paths) -> None:
    async with open_app() as running:
        paths.config.mkdir()
        paths.settings.write_text('# mine\n[sampling]\ntemperature = 0.3\ntop_k = "x"\n')
        await panel(running, "temperature")
        preferences = running.app.chat_screen.choosing.preferences
        await running.until(lambda: preferences.settings.temperature == 0.3)
        await running.until(lambda: "top_k" in running.problem)
        await running.pilot.press("right")
        await running.until(lambda: saved(paths)["sampling"]["temperature"] == 0.4)
        assert paths.settings.read_text().startswith("# mine\n")
        assert saved(paths)["sampling"]["top_k"] == "x"


async def test_a_broken_file_is_said_at_the_start_and_left_alone(
    open_app: Opener, paths: Paths
) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text("[sampling\n")
    async with open_app() as running:
        await running.until(lambda: "not valid TOML" in running.problem)
        await running.pilot.press("ctrl+t")
        await running.until(lambda: "thinking on" in running.status)
        assert paths.settings.read_text() == "[sampling\n"


async def test_colours_motion_and_the_send_key(open_app: Opener, paths: Paths) -> None:
    async with open_app() as running:
        await panel(running, "theme")
        await running.pilot.press("enter")
        assert running.app.theme == "gemma-light"
        await go(running, "reduced_motion")
        await running.pilot.press("enter")
        assert running.app.animation_level == "none"
        await go(running, "send_key")
        await running.pilot.press("enter", "escape")
        running.composer.focus()
        await running.pilot.press("a", "enter", "b")
        assert running.composer.text == "a\nb"
        await running.pilot.press("ctrl+s")
        await running.until(lambda: running.engine.requests)
    async with open_app() as running:
        assert running.app.theme == "gemma-light"


async def test_the_mouse_does_what_enter_does(open_app: Opener, paths: Paths) -> None:
    async with open_app(size=(100, 45)) as running:
        found = await panel(running)
        index = [option.id for option in found.options].index("titles")
        await running.pilot.click(SettingsList, offset=(10, index))
        await running.until(lambda: saved(paths) == {"app": {"titles": False}})
        scope = running.app.screen.query_one("ScopeSwitch")
        await running.pilot.click(scope)
        assert "same in every conversation" in about(running)


@pytest.mark.parametrize("size", [(60, 18), (40, 10), (20, 5), (200, 60)], ids=str)
async def test_it_fits_any_screen(open_app: Opener, size: tuple[int, int]) -> None:
    async with open_app(size=size) as running:
        await panel(running, "system_prompt")
        await running.pilot.press("down", "up", "enter", "escape", "f3", "escape")
        for line in running.text().splitlines():
            assert len(line) <= size[0]
        assert running.app.is_running


async def test_a_narrow_panel_shows_a_value_rather_than_where_it_comes_from(
    open_app: Opener,
) -> None:
    for size, has_origin in (((60, 18), False), ((80, 24), True)):
        async with open_app(size=size) as running:
            await panel(running)
            await running.pilot.press(*"temper")  # without a scrollbar there is a column more
            await running.until(lambda: "Top-k" not in running.text())
            (row,) = (line for line in running.text().splitlines() if "Temperature " in line)
            assert "as the model says" in row
            assert ("default" in row) is has_origin
