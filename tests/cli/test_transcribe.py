"""`gemma-tui transcribe` with the real engine and the built-in model, on spoken digits."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gemma_tui.cli.commands import run_command
from gemma_tui.errors import CapabilityError, UsageError
from tests.preprocessing.sounds import wav
from tests.scripted_engine import MODEL, ScriptedEngine
from tests.transcription.spoken import needs_espeak, recording, word_accuracy

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.cli.conftest import CommandLine


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """100 s of spoken digits, and what each group says."""
    samples, said = recording(100)
    path = tmp_path_factory.mktemp("spoken") / "digits.wav"
    path.write_bytes(wav(samples.astype(np.float64)))
    return path, said


@needs_espeak
def test_a_stopped_run_goes_on_and_no_word_is_doubled_or_lost(
    cli: CommandLine, digits: tuple[Path, list[str]]
) -> None:
    path, said = digits
    run = cli.start("transcribe", path)
    assert run.stdout is not None
    first = run.stdout.read(1)
    while not first.endswith(b"\n"):  # a line is there: a clip is done, and the next one begun
        first += run.stdout.read(1)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate()
    assert run.returncode == 130
    assert errors.decode().startswith("gemma-tui: Stopped at 0:")
    (journal,) = (cli.home / "cache" / "transcripts").iterdir()
    assert journal.stat().st_mode & 0o077 == 0
    assert list(cli.temporary.iterdir()) == []

    again = cli.run("transcribe", path)
    assert (again.returncode, again.stderr) == (0, b"")
    lines = again.stdout.decode().splitlines()
    assert lines[0] == first.decode().strip()
    assert not journal.exists(), "what is done is not kept"
    assert [len(line.split()) for line in lines] == [len(group.split()) for group in said]
    heard = " ".join(lines).split()
    assert word_accuracy(" ".join(said).split(), heard) >= 0.9


@needs_espeak
def test_json_from_a_pipe_beside_a_file_that_is_none(
    cli: CommandLine, digits: tuple[Path, list[str]]
) -> None:
    samples, said = recording(16)
    run = cli.run(
        "transcribe", "nothing.wav", "-", "--format", "json", pipe=wav(samples.astype(np.float64))
    )
    assert run.returncode == 1
    assert "There is no file “nothing.wav”." in run.stderr.decode()
    (line,) = run.stdout.decode().splitlines()
    value = json.loads(line)
    assert (value["file"], value["complete"]) == ("stdin", True)
    assert value["text"].split() == said[0].split()
    assert value["clips"][0]["start"] == 0
    assert not list((cli.home / "cache" / "transcripts").iterdir())


@needs_espeak
def test_a_part_of_a_sound_can_be_asked_about(
    cli: CommandLine, digits: tuple[Path, list[str]]
) -> None:
    path, said = digits
    asked = "ask", "Write it down.", "-a", path, "--temperature", "0"
    run = cli.run(*asked, "--range", "0:14-0:18")
    assert (run.returncode, run.stdout.decode().strip()) == (0, said[0])
    assert cli.run(*asked, "--range", "9:00-9:30").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a.wav", "--format", "pdf"], "“pdf” is no format."),
        (["a.wav", "b.wav", "--format", "srt"], "Subtitles belong to one file."),
        (["-", "-"], "the pipe is named twice"),
        (["a.wav", "--language", "xx"], "“xx” is no language code"),
    ],
)
def test_wrong_use(
    arguments: list[str], sentence: str, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemma_tui.cli.commands.default_paths", lambda: paths)
    with pytest.raises(UsageError, match=sentence):
        run_command(["transcribe", *arguments])


def test_a_model_that_cannot_hear_is_told_before_anything_is_opened(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ScriptedEngine(model=replace(MODEL, can_hear=False))
    monkeypatch.setattr("gemma_tui.cli.transcribe.engine_of", lambda *_, **__: engine)
    monkeypatch.setattr("gemma_tui.cli.commands.default_paths", lambda: paths)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CapabilityError, match="scripted cannot hear"):
        run_command(["transcribe", "a.wav"])
    assert engine.is_closed
    assert not engine.probed


def test_an_imported_model_that_hears_is_named(
    paths: Paths, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, paths.models / "listener")
    engine = ScriptedEngine(model=replace(MODEL, can_hear=False))
    monkeypatch.setattr("gemma_tui.cli.transcribe.engine_of", lambda *_, **__: engine)
    monkeypatch.setattr("gemma_tui.cli.commands.default_paths", lambda: paths)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CapabilityError, match="scripted cannot hear") as caught:
        run_command(["transcribe", "a.wav"])
    assert str(paths.models / "listener") in caught.value.hint
