"""Which layer wins, and what happens to a change that cannot be saved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import SettingsError
from gemma_tui.settings.configuration import Configuration, Origin
from gemma_tui.settings.file import SettingsFile
from gemma_tui.settings.presets import BUILT_IN

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "settings.toml")


def test_the_nearer_layer_wins(file: SettingsFile) -> None:
    file.path.write_text("[sampling]\ntop_k = 1\ntop_p = 0.1\nmin_p = 0.1\nseed = 1\n")
    environ = {"GEMMA_TUI_TOP_P": "0.2", "GEMMA_TUI_MIN_P": "0.2", "GEMMA_TUI_SEED": "2"}
    configuration = Configuration(file, environ, {"seed": 4})
    resolved = configuration.resolve({"min_p": 0.3, "seed": 3})
    assert resolved.value("temperature") is None
    assert [resolved.value(key) for key in ("top_k", "top_p", "min_p", "seed")] == [1, 0.2, 0.3, 4]
    assert [
        resolved.origins[key] for key in ("temperature", "top_k", "top_p", "min_p", "seed")
    ] == [
        Origin.DEFAULT,
        Origin.FILE,
        Origin.ENVIRONMENT,
        Origin.CONVERSATION,
        Origin.COMMAND_LINE,
    ]


async def test_a_change_holds_at_once_and_is_saved_behind_it(file: SettingsFile) -> None:
    configuration = Configuration(file, {})
    seen: list[object] = []
    configuration.watch(lambda: seen.append(configuration.resolve().settings.temperature))
    change = asyncio.ensure_future(configuration.set("temperature", 0.5))
    await asyncio.sleep(0)
    assert seen == [0.5]
    assert configuration.resolve().origins["temperature"] is Origin.RUN
    await change
    assert configuration.resolve().origins["temperature"] is Origin.FILE
    assert Configuration(file, {}).resolve().settings.temperature == 0.5
    await configuration.reset("temperature")
    assert configuration.resolve().origins["temperature"] is Origin.DEFAULT
    assert Configuration(file, {}).resolve().settings.temperature is None


async def test_quick_changes_end_with_the_last_one(file: SettingsFile) -> None:
    configuration = Configuration(file, {})
    await asyncio.gather(*(configuration.set("top_k", number) for number in range(20)))
    assert configuration.resolve().settings.top_k == 19
    assert Configuration(file, {}).resolve().settings.top_k == 19


async def test_what_cannot_be_saved_holds_until_the_end(file: SettingsFile) -> None:
    file.path.write_text("not toml")
    configuration = Configuration(file, {})
    assert len(configuration.problems) == 1
    with pytest.raises(SettingsError):
        await configuration.set("thinking", value=True)
    resolved = configuration.resolve()
    assert resolved.settings.thinking
    assert resolved.origins["thinking"] is Origin.RUN
    assert file.path.read_text() == "not toml"


async def test_an_edit_by_hand_is_picked_up(file: SettingsFile) -> None:
    configuration = Configuration(file, {})
    file.path.write_text('[sampling]\ntemperature = 0.1\ntop_k = "x"\n')
    problems = await configuration.reload()
    assert configuration.resolve().settings.temperature == 0.1
    assert len(problems) == 1
    assert not await configuration.reload()


async def test_a_choice_in_the_app_replaces_that_of_the_command_line(file: SettingsFile) -> None:
    configuration = Configuration(file, {}, {"model": "/a"})
    await configuration.set("model", "/b")
    assert configuration.resolve().settings.model == "/b"


async def test_own_presets_stand_before_those_that_come_along(file: SettingsFile) -> None:
    configuration = Configuration(file, {})
    assert list(configuration.presets) == list(BUILT_IN)
    await configuration.set_preset("Mine", "Be mine.")
    await configuration.set_preset("Brief", "Hm.")
    assert list(configuration.presets)[:2] == ["Mine", "Brief"]
    assert configuration.presets["Brief"] == "Hm."
    assert configuration.is_own_preset("Brief")
    await configuration.set_preset("Brief", "")
    assert configuration.presets["Brief"] == BUILT_IN["Brief"]
