"""`gemma-tui models`, as users run it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine


def test_a_converted_model_answers(cli: CommandLine, tiny_model: Path) -> None:
    run = cli.run("models", "convert", tiny_model, "--bits", "8", "--group-size", "32")
    target = cli.folder / f"{tiny_model.name}-8bit"
    assert (run.returncode, run.stdout.decode(), run.stderr) == (0, f"{target}\n", b"")
    question = ("ask", "What are you?", "--temperature", "0", "--model")
    plain, quantised = (cli.run(*question, folder) for folder in (tiny_model, target))
    assert (quantised.returncode, quantised.stderr) == (0, b"")
    assert quantised.stdout == plain.stdout != b""
    again = cli.run("models", "convert", target, "--bits", "4", "--out", "other")
    assert again.returncode == 1
    assert b"quantised already" in again.stderr
    assert not (cli.folder / "other").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bits", "3"], "Weights cannot be converted to 3 bits"),
        (["--bits", "4", "--ple-bits", "7"], "Weights cannot be converted to 7 bits"),
        (["--bits", "4", "--group-size", "48"], "groups of 48"),
        (["--bits", "4", "--out", "."], "is already there"),
        (["--bits", "4", "--out", "absent/new"], "There is no folder"),
        ([], "--bits"),
    ],
)
def test_wrong_use_is_2(
    cli: CommandLine, tiny_model: Path, arguments: list[str], sentence: str
) -> None:
    run = cli.run("models", "convert", tiny_model, *arguments)
    assert run.returncode == 2
    assert run.stdout == b""
    assert sentence in run.stderr.decode()
    assert {path.name for path in cli.folder.iterdir()} <= {"home", "tmp"}


def test_help(cli: CommandLine) -> None:
    text = cli.run("models", "convert", "--help").stdout.decode()
    assert all(option in text for option in ["--bits", "--group-size", "--ple-bits", "--out"])
    assert b"convert" in cli.run("models", "--help").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_leaves_nothing(
    cli: CommandLine, tiny_model: Path, number: signal.Signals
) -> None:
    terminal, other_end = pty.openpty()
    with subprocess.Popen(
        cli.command("models", "convert", tiny_model, "--bits", "4", "--out", "new"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=other_end,
        env=cli.environment,
        cwd=cli.folder,
    ) as process:
        os.close(other_end)
        shown = b""
        while b"starting the engine" not in shown:
            shown += os.read(terminal, 1024)
        process.send_signal(number)
        process.communicate()
    os.close(terminal)
    assert process.returncode in (128 + number, 0)  # 0: it was quicker than the signal
    assert (cli.folder / "new").exists() == (process.returncode == 0)
    assert not list(cli.folder.glob(".*.partial"))
