"""Exit codes and sentences that need no engine."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from gemma_tui import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine


def test_version(cli: CommandLine) -> None:
    run = cli.run("--version")
    assert (run.returncode, run.stdout.decode()) == (0, f"gemma-tui {__version__}\n")
    assert run.stderr == b""


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["ask", "--help"]])
def test_help(cli: CommandLine, arguments: list[str]) -> None:
    run = cli.run(*arguments)
    assert run.returncode == 0
    assert run.stdout.startswith(b"Usage: gemma-tui")
    assert run.stderr == b""


@pytest.mark.parametrize("group", [[], ["history"], ["config"], ["models"], ["servers"]], ids=str)
def test_the_list_of_commands_cuts_no_sentence(cli: CommandLine, group: list[str]) -> None:
    listed = cli.run(*group, "--help").stdout.decode().partition("Commands:\n")[2]
    assert listed.count("\n") >= 3
    assert "..." not in listed


def test_help_names_every_option_of_ask(cli: CommandLine) -> None:
    text = cli.run("ask", "--help").stdout.decode()
    options = "-a --attach --image-tokens --system --think --temperature --seed --max-tokens"
    assert all(option in text for option in f"{options} --model --json --save".split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--nonsense"], "No such option"),
        (["nonsense"], "No such command"),
        (["ask", "--nonsense"], "No such option"),
        (["ask", "hi", "there"], "unexpected extra argument"),
        (["ask", "hi", "--seed", "x"], "--seed"),
        (["ask", "hi", "--max-tokens", "0"], "--max-tokens"),
        (["ask", "hi", "--temperature", "-1"], "--temperature"),
        (["ask", "hi", "--temperature", "20"], "a number from 0 to 10"),
        (["ask", "hi", "--top-p", "0"], "a number above 0 and at most 1"),
        (["ask", "hi", "--image-tokens", "71"], "71 is not a token budget"),
        (["ask"], "There is nothing to ask"),
        (["ask", "  "], "There is nothing to ask"),
        ([], "The app needs a terminal"),
    ],
)
def test_wrong_use_is_2(cli: CommandLine, arguments: list[str], sentence: str) -> None:
    run = cli.run(*arguments)
    assert run.returncode == 2
    assert run.stdout == b""
    assert sentence in run.stderr.decode()
    assert b"Traceback" not in run.stderr
    assert not cli.home.exists()


def test_a_file_from_a_pipe_needs_a_pipe(cli: CommandLine) -> None:
    terminal, other_end = pty.openpty()
    run = subprocess.run(
        cli.command("ask", "hi", "-a", "-"),
        stdin=other_end,
        capture_output=True,
        env=cli.environment,
        check=False,
    )
    os.close(terminal)
    os.close(other_end)
    assert run.returncode == 2
    assert b"but there is none" in run.stderr


def test_an_unusable_data_folder_is_1(cli: CommandLine) -> None:
    cli.home.write_text("a file in the way")
    run = cli.run("ask", "hi", "--save")
    assert run.returncode == 1
    assert b"GEMMA_TUI_HOME" in run.stderr
    assert b"Traceback" not in run.stderr


def test_a_damaged_database_is_1_and_is_left_alone(cli: CommandLine) -> None:
    cli.database.parent.mkdir(parents=True)
    cli.database.write_bytes(b"\xff" * 5000)
    run = cli.run("ask", "hi", "--save")
    assert run.returncode == 1
    assert b"is damaged" in run.stderr
    assert cli.database.read_bytes() == b"\xff" * 5000


def test_what_is_quoted_in_a_sentence_cannot_act(cli: CommandLine, tmp_path: Path) -> None:
    run = cli.run("ask", "hi", "-a", "\x1b]0;title\x07.png", "--model", tmp_path)
    assert run.returncode == 1
    assert b"\x1b" not in run.stderr
    assert b"\x07" not in run.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(cli: CommandLine, closed: str) -> None:
    script = f"{shlex.join(cli.command('ask', 'hi', '-a', 'gone.png'))} {closed}"
    run = subprocess.run(
        ["sh", "-c", script], capture_output=True, env=cli.environment, check=False
    )
    assert run.returncode == 1
    assert run.stdout == b""
    assert b"Traceback" not in run.stderr
    assert ("2>&-" in closed) == (run.stderr == b"")


@pytest.mark.parametrize("arguments", [("ask", "hi"), ("--version",), ("config", "path")])
def test_a_closed_output_is_told_and_not_written_to(
    cli: CommandLine, arguments: tuple[str, ...]
) -> None:
    script = f"{shlex.join(cli.command(*arguments))} >&-"
    run = subprocess.run(
        ["sh", "-c", script], capture_output=True, env=cli.environment, check=False
    )
    assert run.returncode == 1
    assert run.stderr.startswith(b"gemma-tui: The standard output ")
    assert run.stderr.count(b"\n") == 1
    assert not cli.home.joinpath("logs").exists(), "nothing was computed for nobody"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ask", "hi", "-a", ""), "“-a” names no file."),
        (("ask", "hi", "--model", ""), "“--model” names no folder."),
        (("--model", " ", "ask", "hi"), "“--model” names no folder."),
        (("--model", "", "--plain"), "“--model” names no folder."),
    ],
)
def test_an_empty_name_is_wrong_use(
    cli: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    run = cli.run(*arguments)
    assert (run.returncode, run.stdout) == (2, b"")
    assert run.stderr.decode().startswith(f"gemma-tui: {sentence} ")


def test_a_locale_without_a_character_breaks_nothing(cli: CommandLine) -> None:
    environment = {**cli.environment, "PYTHONIOENCODING": "ascii"}
    command = cli.command("ask", "hi", "-a", "caf\u00e9.png")
    run = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert run.returncode == 1
    assert run.stderr.isascii()
    assert b"There is no file" in run.stderr
