"""The settings file: what a person wrote stays, what is wrong is said, nothing is lost."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gemma_tui.errors import SettingsError
from gemma_tui.settings.file import MAX_FILE_BYTES, SettingsFile
from gemma_tui.settings.reading import (
    overrides_text,
    read_environment,
    read_overrides,
    read_toml,
)
from gemma_tui.settings.schema import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

COMMENTED = """\
# my settings
[sampling]
top_p = 0.9      # a little less
temperature = 0.3

[future]
thing = 1

[replies]
# thoughts are fun
thinking = true
colour = "blue"
"""


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "config" / "settings.toml")


def written(file: SettingsFile, text: str) -> None:
    file.path.parent.mkdir(exist_ok=True)
    file.path.write_text(text, encoding="utf-8")


def test_no_file_says_nothing(file: SettingsFile) -> None:
    layer = file.read()
    assert not layer.values
    assert not layer.problems
    assert not file.path.exists()


def test_comments_order_and_unknown_keys_stay(file: SettingsFile) -> None:
    written(file, COMMENTED)
    layer = file.set("temperature", 0.7)
    assert file.path.read_text() == COMMENTED.replace("0.3", "0.7")
    assert layer.values == {"top_p": 0.9, "temperature": 0.7, "thinking": True}
    assert len(layer.problems) == 2
    assert "line 6" in layer.problems[0]
    assert "“colour” in [replies]" in layer.problems[1]
    assert "line 12" in layer.problems[1]


def test_what_is_set_is_read_again(file: SettingsFile) -> None:
    values = {
        "temperature": 0.5,
        "thinking": True,
        "max_tokens": 100,
        "token_budget": 560,
        "overflow": "drop_oldest",
        "known_models": ("/a b", "/ü"),
        "system_prompt": 'Line one.\n"""\\ two\n',
    }
    for key, value in values.items():
        file.set(key, SCHEMA[key].check(value))
    layer = file.read()
    assert layer.values == values
    assert not layer.problems
    assert oct(file.path.stat().st_mode)[-3:] == "600"
    assert list(file.path.parent.iterdir()) == [file.path]


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example(text="\r\n")
@example(text="a\r\nb\n")
def test_any_system_prompt_survives(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = SettingsFile(tmp_path_factory.mktemp("x") / "settings.toml")
    try:
        file.set("system_prompt", text)
    except SettingsError as error:
        assert "unreadable" in error.message  # noqa: PT017  # or it is kept as it is
    else:
        assert file.read().values["system_prompt"] == text


def test_taking_a_setting_out_leaves_the_rest(file: SettingsFile) -> None:
    written(file, COMMENTED)
    file.set("temperature", None)
    assert file.path.read_text() == COMMENTED.replace("temperature = 0.3\n", "")
    file.set("seed", None)
    assert file.path.read_text() == COMMENTED.replace("temperature = 0.3\n", "")


def test_presets_are_kept_and_taken_out(file: SettingsFile) -> None:
    written(file, COMMENTED)
    file.set_preset("Pirate, old", "Arr.\nTalk so.")
    assert file.read().presets == {"Pirate, old": "Arr.\nTalk so."}
    assert file.path.read_text().startswith(COMMENTED)
    assert not file.set_preset("Pirate, old", "").presets


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('[sampling]\n\ntemperature = "hot"\n', "line 3", "a number from 0 to 10"),
        ("[sampling]\ntop_p = 3\n", "line 2", "at most 1"),
        ("sampling.top_k = true\n", "line 1", "a whole number"),
        ('[replies]\n"thinking" = 3\n', "line 2", "true or false"),
    ],
)
def test_a_wrong_value_is_named_and_the_default_used(
    file: SettingsFile, text: str, line: str, reason: str
) -> None:
    written(file, text)
    layer = file.read()
    assert not layer.values
    (problem,) = layer.problems
    assert line in problem
    assert reason in problem
    assert "Instead" in problem


@pytest.mark.parametrize(
    "content",
    [
        b"[sampling\ntemperature = 1",
        b"\xff\xfe\x00",
        b"a = 1\na = 2",
        b"x = " + b"[" * 5000,
        b"#" * (MAX_FILE_BYTES + 1),
    ],
    ids=["syntax", "binary", "twice", "deep", "large"],
)
def test_a_broken_file_is_reported_and_never_written(file: SettingsFile, content: bytes) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    layer = file.read()
    assert layer.is_broken
    assert len(layer.problems) == 1
    assert str(file.path) in layer.problems[0]
    with pytest.raises(SettingsError):
        file.set("thinking", value=True)
    assert file.path.read_bytes() == content


def test_a_section_that_is_no_table_is_not_overwritten(file: SettingsFile) -> None:
    written(file, "sampling = 3\n")
    assert "must be a table" in file.read().problems[0]
    with pytest.raises(SettingsError, match="not a table"):
        file.set("temperature", 1.0)
    assert file.path.read_text() == "sampling = 3\n"


def test_an_edit_made_meanwhile_is_kept(
    file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program writes between the reading and the replacing."""
    written(file, "[sampling]\ntop_k = 1\n")
    real = os.fsync

    def late(number: int) -> None:
        real(number)
        monkeypatch.setattr(os, "fsync", real)
        written(file, "[sampling]\ntop_k = 2 # mine\n")

    monkeypatch.setattr(os, "fsync", late)
    file.set("temperature", 1.0)
    assert "top_k = 2 # mine" in file.path.read_text()
    assert file.read().values == {"top_k": 2, "temperature": 1.0}


def test_a_link_stays_a_link(file: SettingsFile, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    file.path.parent.mkdir()
    file.path.symlink_to(real)
    file.set("thinking", value=True)
    assert file.path.is_symlink()
    assert tomllib.loads(real.read_text()) == {"replies": {"thinking": True}}


def test_a_folder_that_cannot_be_written_is_said(file: SettingsFile) -> None:
    file.path.parent.write_text("a file, where the folder should be")
    with pytest.raises(SettingsError, match="cannot be"):
        file.set("thinking", value=True)


def test_the_environment_speaks_by_keys_in_capitals() -> None:
    layer = read_environment(
        {"GEMMA_TUI_TEMPERATURE": "0.2", "GEMMA_TUI_TOP_P": "7", "GEMMA_TUI_SEED": "", "HOME": "/"}
    )
    assert layer.values == {"temperature": 0.2}
    (problem,) = layer.problems
    assert "GEMMA_TUI_TOP_P" in problem


def test_a_conversation_keeps_what_it_does_not_know() -> None:
    layer = read_overrides('{"temperature": 0.1, "theme": "x", "later": [1], "top_k": "no"}')
    assert layer.values == {"temperature": 0.1}
    assert "top_k" in layer.problems[0]
    text = overrides_text({"thinking": True}, layer.unknown)
    again = read_overrides(text)
    assert again.values == {"thinking": True}
    assert again.unknown == {"theme": "x", "later": [1]}
    assert not overrides_text({}, {})


@pytest.mark.parametrize("text", ["[", "3", "null", "[" * 100_000])
def test_damaged_overrides_are_said(text: str) -> None:
    layer = read_overrides(text)
    assert layer.is_broken
    assert "damaged" in layer.problems[0]


@given(text=st.text(max_size=80))
def test_no_text_breaks_the_reading(text: str) -> None:
    layer = read_toml(text, "settings.toml")
    assert layer.is_broken or all(SCHEMA[key].check(v) == v for key, v in layer.values.items())
    read_overrides(text)
