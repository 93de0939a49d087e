"""`gemma-tui doctor` as a user runs it, and the findings that a healthy machine does not have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Usage
from gemma_tui.doctor import engine as engine_module
from gemma_tui.doctor.engine import engine
from gemma_tui.doctor.finding import State
from gemma_tui.doctor.hearing import microphone
from gemma_tui.doctor.models import catalogue, models
from gemma_tui.doctor.network import network
from gemma_tui.doctor.program import machine, settings
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.interface import ComputeDevice
from gemma_tui.errors import AudioLibraryError, ForbiddenConnectionError
from gemma_tui.generation import Finished
from gemma_tui.microphone.interface import Device
from gemma_tui.network import NetworkGuard
from gemma_tui.paths import builtin_model
from tests.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path


def run(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gemma_tui", "doctor", *arguments],
        env={**os.environ, "GEMMA_TUI_HOME": str(home), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_new_machine_is_well(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PROBLEM" not in done.stdout
    assert "the built-in model answers with" in done.stdout
    assert "note     terminal     This is no terminal" in done.stdout
    quiet = "0 connections this run (app and engine together), 0 refused"
    assert f"ok       network      {quiet}\n" in done.stdout


def test_a_catalogue_of_the_users_is_looked_through(tmp_path: Path) -> None:
    assert list(catalogue(tmp_path)) == []
    (tmp_path / "catalog.toml").write_text('[variants.mine]\nrepo = "../x"\n')
    wrong, missing = catalogue(tmp_path)
    assert "catalog.toml, line 2: “repo” of “mine” must be owner/name" in wrong.sentence
    assert "lacks size" in missing.sentence
    assert (wrong.state, missing.state) == (State.PROBLEM, State.PROBLEM)
    assert wrong.advice


def test_problems_are_told_to_programs_too(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text('temperature = "hot"\n')
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data").chmod(0o755)
    done = run(tmp_path, "--json", GEMMA_TUI_MODEL=str(tmp_path / "gone"))
    assert (done.returncode, done.stderr) == (1, "")
    findings = json.loads(done.stdout)["findings"]
    problems = {item["topic"] for item in findings if item["state"] == "problem"}
    assert problems == {"settings", "data folder", "model"}
    assert all(item["advice"] for item in findings if item["state"] == "problem")


@pytest.mark.parametrize(
    ("system", "processor", "state"),
    [
        ("darwin", "arm64", State.OK),
        ("darwin", "x86_64", State.PROBLEM),
        ("linux", "x86_64", State.NOTE),
    ],
)
def test_the_machine(system: str, processor: str, state: State) -> None:
    assert machine(system, processor).state is state


def test_problems_of_the_settings_are_text() -> None:
    found = settings(["temperature: \x1b[2J is no number."])
    assert (found.state, "\x1b" in found.sentence) == (State.PROBLEM, False)


def test_a_builtin_model_that_is_broken_is_said_to_be(tmp_path: Path) -> None:
    (found,) = models(tmp_path / "gone", (), "")
    assert (found.state, found.advice) == (State.PROBLEM, "Install gemma-tui again.")


async def test_connections_and_refusals_are_counted() -> None:
    guard = NetworkGuard()
    with guard.elsewhere("example.com"):
        found = await network(guard, ScriptedEngine())
    assert (found.state, found.sentence.partition(" (")[0]) == (State.NOTE, "1 connection this run")
    with pytest.raises(ForbiddenConnectionError):
        guard._judge_lookup("example.com")
    found = await network(guard, ScriptedEngine())
    assert (found.state, found.sentence[-9:]) == (State.PROBLEM, "1 refused")


async def test_an_engine_that_does_not_load_is_a_finding(tmp_path: Path) -> None:
    client = EngineClient(tmp_path / "engine.log")
    (found,) = [finding async for finding in engine(client, tmp_path / "gone")]
    await client.close()
    assert (found.topic, found.state) == ("engine", State.PROBLEM)
    assert "gone" in found.sentence


async def test_one_that_says_nothing_is_a_finding() -> None:
    script = [Finished("stop", Usage(1, 0, 0, 0.1, 0.1, 0))]
    found = [item async for item in engine(ScriptedEngine(script), builtin_model())]
    assert found[-1].state is State.PROBLEM
    assert "says nothing" in found[-1].sentence


def test_devices_and_memory_in_words() -> None:
    gpu = ComputeDevice("Apple M3", True, 12 << 30)
    assert engine_module._device(gpu).state is State.OK
    assert engine_module._memory(gpu).state is State.OK
    small = engine_module._memory(ComputeDevice("Apple M1", True, 1 << 30))
    assert (small.state, "close other programs" in small.advice) == (State.NOTE, True)


class Microphones:
    """Some, or a reason for none."""

    def __init__(self, *devices: Device, error: AudioLibraryError | None = None) -> None:
        self._devices, self._error = devices, error

    async def devices(self) -> tuple[Device, ...]:
        if self._error:
            raise self._error
        return self._devices


async def test_microphones_in_words() -> None:
    two = Microphones(Device("Built-in", 48_000, is_default=True), Device("USB\x1b[2J", 44_100))
    found = await microphone(two, "linux")  # type: ignore[arg-type]  # only asks for devices
    assert found.sentence.startswith("Built-in (default), USB")
    assert "\x1b" not in found.sentence
    found = await microphone(two, "darwin")  # type: ignore[arg-type]
    assert "Privacy & Security" in found.advice
    found = await microphone(Microphones(), "linux")  # type: ignore[arg-type]
    assert (found.state, "none is connected" in found.sentence) == (State.NOTE, True)
    error = AudioLibraryError("PortAudio is missing.", "Install it.")
    found = await microphone(Microphones(error=error), "linux")  # type: ignore[arg-type]
    assert (found.state, found.advice) == (State.NOTE, "Install it.")
