"""`gemma-tui bench`, as users run it."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine

QUICK = ("--context", "128")


def saved(cli: CommandLine) -> Path:
    """Where benchmarks are kept."""
    return cli.home / "data" / "benchmarks.json"


def test_several_models_are_measured_and_kept(cli: CommandLine, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, cli.folder / "copy")
    (cli.folder / "broken").mkdir()
    run = cli.run("bench", "built-in", "broken", "copy", *QUICK, "--json")
    assert run.returncode == 1
    assert b"gemma-tui: broken: " in run.stderr
    runs = json.loads(run.stdout)["benchmarks"]
    assert [item["model"] for item in runs] == ["built-in demo", "Gemma 4 (copy)"]
    kept = json.loads(saved(cli).read_text("utf-8"))["runs"]
    assert [item["model"] for item in kept] == ["Gemma 4 (copy)", "built-in demo"]
    assert str(cli.folder) not in saved(cli).read_text("utf-8")


def test_without_a_name_it_is_the_model_of_the_settings(cli: CommandLine) -> None:
    run = cli.run("bench", *QUICK)
    assert (run.returncode, run.stderr) == (0, b"")
    text = run.stdout.decode()
    assert text.startswith("built-in demo  (14.1 MB in memory")
    assert "first token, warm" in text
    assert "% of " in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("e9b", "There is no folder and no model “e9b”."),
        ("12b-4bit", "gemma-tui models pull 12b-4bit"),
        ("\x1b[2J", "There is no folder"),
        ("server:den", "runs on another machine"),
    ],
)
def test_a_model_that_is_not_there_is_wrong_use(cli: CommandLine, name: str, words: str) -> None:
    run = cli.run("bench", name, before=("env", f"HF_HOME={cli.folder}"))
    assert (run.returncode, run.stdout) == (2, b"")
    assert words in run.stderr.decode()
    assert b"\x1b" not in run.stderr
    assert not saved(cli).exists()


def test_ctrl_c_leaves_what_was_kept_as_it_was(cli: CommandLine, tiny_model: Path) -> None:
    saved(cli).parent.mkdir(parents=True)
    saved(cli).write_text("{}")
    terminal, other_end = pty.openpty()
    with subprocess.Popen(
        cli.command("bench", "--context", "7000"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=other_end,
        env=cli.environment,
        cwd=cli.folder,
    ) as process:
        os.close(other_end)
        shown = b""
        while b"first token, cold" not in shown:
            shown += os.read(terminal, 1024)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    os.close(terminal)
    assert (process.returncode, out) == (130, b"")
    assert saved(cli).read_text() == "{}"
    assert [path.name for path in saved(cli).parent.iterdir()] == ["benchmarks.json"]
    assert not list(cli.temporary.glob("gemma-tui-*"))
