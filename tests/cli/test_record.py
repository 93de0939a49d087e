"""`gemma-tui record` as users run it, with a double of the audio system below it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import wave
from typing import TYPE_CHECKING

import pytest

from gemma_tui.cli.record import meter_line
from gemma_tui.microphone.take import Take
from tests.microphone.conftest import DIGITS, command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine


def run(cli: CommandLine, *arguments: str | Path, **plan: object) -> subprocess.Popen[bytes]:
    """The real command with the real worker; only sounddevice is the double."""
    code = (
        "import sys; from gemma_tui.microphone import client;"
        f" client.worker_command = lambda: {command(plan)!r};"
        " from gemma_tui.cli.main import main; main(sys.argv[1:])"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, "record", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**cli.environment, "COLUMNS": "100"},
        cwd=cli.folder,
    )


def test_so_many_seconds_are_recorded_and_the_path_is_printed(cli: CommandLine) -> None:
    process = run(cli, "take.wav", "--seconds", "1.5", wave=str(DIGITS))
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, b"take.wav\n", b"")
    with wave.open(str(cli.folder / "take.wav"), "rb") as kept, wave.open(str(DIGITS)) as spoken:
        assert kept.getnframes() >= 1.5 * 16000
        sound = spoken.readframes(16000)
        assert kept.readframes(16000) == sound


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_the_file_is_there(
    cli: CommandLine, number: signal.Signals, code: int
) -> None:
    process = run(cli, "take.wav", then="zeros")
    assert process.stderr is not None
    assert b"Only silence arrives" in process.stderr.readline()  # half a second is recorded
    os.kill(process.pid, number)
    out, _ = process.communicate()
    assert (process.returncode, out) == (code, b"take.wav\n")
    with wave.open(str(cli.folder / "take.wav"), "rb") as kept:
        assert kept.getnframes() >= 8000


def test_without_a_name_it_is_called_by_the_time(cli: CommandLine) -> None:
    out, _ = run(cli, "--seconds", "0.2").communicate()
    (path,) = cli.folder.glob("recording 20*.wav")
    assert out.decode() == f"{path.name}\n"


def test_an_existing_file_is_never_written_over(cli: CommandLine) -> None:
    (cli.folder / "take.wav").write_text("mine")
    process = run(cli, "take.wav")
    _, err = process.communicate()
    assert process.returncode == 2
    assert b"take.wav exists already." in err
    assert (cli.folder / "take.wav").read_text() == "mine"


@pytest.mark.parametrize(
    ("plan", "arguments", "sentence", "code", "stays"),
    [
        ({"devices": {}}, (), "No microphone is connected.", 1, False),
        ({}, ("--device", "other"), "No microphone has the name “other”.", 1, False),
        ({"wave": str(DIGITS), "then": "gone"}, (), "has disappeared after 1 s.", 1, True),
    ],
)
def test_failures_are_sentences_and_leave_no_empty_file(
    cli: CommandLine,
    plan: dict[str, object],
    arguments: tuple[str, ...],
    sentence: str,
    code: int,
    stays: bool,
) -> None:
    process = run(cli, "take.wav", *arguments, **plan)
    out, err = process.communicate()
    assert process.returncode == code
    assert sentence in err.decode()
    assert (cli.folder / "take.wav").exists() == stays
    assert out == (b"take.wav\n" if stays else b"")


def test_a_place_that_cannot_be_written_is_said(cli: CommandLine) -> None:
    process = run(cli, "missing/take.wav")
    _, err = process.communicate()
    assert process.returncode == 1
    assert b"cannot be written (No such file or directory)" in err


def test_devices_are_listed_with_the_default_marked(cli: CommandLine) -> None:
    process = run(cli, "--list", devices={"One": 1, "Speaker": 0, "Two\x1b[2J": 2})
    out, _ = process.communicate()
    assert out.decode() == "1  One · 16 kHz (default)\n2  Two␛[2J · 16 kHz\n"
    process = run(cli, "--list", devices={})
    assert b"No microphone is connected." in process.communicate()[1]
    assert process.returncode == 1


def test_the_meter_is_one_line() -> None:
    line = meter_line(Take(seconds=7.2, loudness=-30.0, peak=-12.0))
    assert line == f"0:07  {'█' * 10}{'·' * 10}  −12 dB  Enter stops"
    assert "silence" in meter_line(Take())
