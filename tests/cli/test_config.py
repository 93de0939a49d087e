"""`gemma-tui config`, and what settings do to `gemma-tui ask`."""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING

from gemma_tui.cli.commands import run_command
from gemma_tui.settings.schema import SCHEMA
from gemma_tui.tui.keymap import check_keymap
from tests.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    import pytest

    from gemma_tui.paths import Paths
    from tests.cli.conftest import CommandLine


def written(paths: Paths, text: str) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text(text)


def test_path_is_where_a_file_is_read(cli: CommandLine) -> None:
    run = cli.run("config", "path")
    assert run.stdout.decode() == f"{cli.home}/config/settings.toml\n"
    assert not cli.home.exists()


def test_show_is_toml_with_origins(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gemma_tui.cli.config.default_paths", lambda: paths)
    monkeypatch.setenv("GEMMA_TUI_TOP_K", "9")
    written(
        paths,
        '[sampling]\ntop_p = 0.5\ntop_k = 1\nmin_p = 7\n[replies]\nsystem_prompt = "a\\n\\u202e"\n',
    )
    assert run_command(["--model", "/some/folder", "config", "show"]) == 0
    told = capsys.readouterr()
    content = tomllib.loads(told.out)
    assert content["sampling"]["top_p"] == 0.5
    assert content["sampling"]["top_k"] == 9
    assert "top_p = 0.5  # file" in told.out
    assert "top_k = 9  # environment" in told.out
    assert 'model = "/some/folder"  # command line' in told.out
    assert "# temperature: as the model says  # default" in told.out
    assert "\u202e" not in told.out
    assert all(key in told.out for key in SCHEMA)
    assert "line 4" in told.err
    assert "min_p" in told.err


def test_ask_follows_the_settings_unless_it_is_told_otherwise(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = ScriptedEngine()
    monkeypatch.setattr("gemma_tui.cli.ask.engine_of", lambda *_, **__: engine)
    monkeypatch.setattr("gemma_tui.cli.commands.default_paths", lambda: paths)
    monkeypatch.setattr(sys, "stdin", None)
    written(
        paths,
        '[sampling]\ntemperature = 0.5\n[replies]\nthinking = true\nsystem_prompt = "Be kind."\n',
    )
    assert run_command(["ask", "hi"]) == 0
    assert run_command(["ask", "hi", "--no-think", "--temperature", "0.1", "--system", ""]) == 0
    first, second = engine.requests
    assert first.options.sampling.temperature == 0.5
    assert first.options.thinking
    assert first.system_prompt == "Be kind."
    assert second.options.sampling.temperature == 0.1
    assert not second.options.thinking
    assert not second.system_prompt
    assert not capsys.readouterr().err


def test_keys_prints_the_ids_that_the_file_may_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["config", "keys"]) == 0
    keys = tomllib.loads(capsys.readouterr().out)["keys"]
    assert keys["app.help"] == "f1"
    assert check_keymap({"nothing.like.it": "f5"})[1][0].endswith("config keys lists them all.")
    assert check_keymap(dict.fromkeys(keys, "no key"))[0] == {}  # every id is known:
    assert not any("is no id" in told for told in check_keymap(dict.fromkeys(keys, "no key"))[1])
