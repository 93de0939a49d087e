"""`gemma-tui models pull`, killed with -9 wherever it is: the next one goes on there."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from gemma_tui.hub.cache import RepoFolder
from gemma_tui.hub.downloaded import ModelState, downloaded_models
from tests.hub_server import REPO, HubServer, files_of, sharded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import CommandLine

MOST_TWICE = 1024 * 1024
"""Bytes that an interruption may cost."""


class Runs:
    """Runs `gemma-tui models pull` in fresh processes, quickly."""

    def __init__(self, cli: CommandLine, hub: HubServer) -> None:
        environment = cli.environment | {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(cli.folder / "hf"),
        }
        self.cache = cli.folder / "hf" / "hub"
        self.server = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
            bufsize=1,
        )

    def start(self, kill_at: int = 0) -> int:
        """Begin a run; returns its process id."""
        assert self.server.stdin
        assert self.server.stdout
        order = {"arguments": ["models", "pull", REPO], "kill_at": kill_at}
        self.server.stdin.write(json.dumps(order) + "\n")
        while not (line := self.server.stdout.readline().strip()).isdigit():
            assert self.server.poll() is None  # what a run printed comes here, too
        return int(line)

    def end(self) -> int:
        """Wait for its end; returns the exit code."""
        assert self.server.stdout
        while line := self.server.stdout.readline():
            if line.strip().lstrip("-").isdigit():
                return int(line)
        raise AssertionError

    def close(self) -> None:
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()


@pytest.fixture
def hub(tiny_model: Path) -> Iterator[HubServer]:
    server = HubServer(sharded(files_of(tiny_model), 4))
    yield server
    server.close()


@pytest.fixture
def runs(cli: CommandLine, hub: HubServer) -> Iterator[Runs]:
    made = Runs(cli, hub)
    yield made
    made.close()


def check(runs: Runs, hub: HubServer) -> bool:
    """See to it that nothing passes for a model unless it is right; returns whether there is one."""
    snapshots = RepoFolder(runs.cache, REPO).snapshots
    shown = list(snapshots.iterdir()) if snapshots.is_dir() else []
    for folder in shown:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == hub.files
    for model in downloaded_models(runs.cache):
        assert model.is_usable == bool(shown)
        assert model.state is not ModelState.DAMAGED
        assert model.done_bytes <= hub.total_bytes
    return bool(shown)


def done_bytes(runs: Runs) -> int:
    return sum(model.done_bytes for model in downloaded_models(runs.cache))


def has_ended(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_killed_at_50_random_points(runs: Runs, hub: HubServer, cli: CommandLine) -> None:
    chance = random.Random(20261125)
    hub.bytes_per_second = 3e6
    kills = 0
    while kills < 50:
        sent, done = hub.sent_bytes, done_bytes(runs)
        goal = sent + chance.randrange(hub.total_bytes // 40)
        process = runs.start()
        hub.wait_sent(goal, partial(has_ended, process))
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        assert runs.end() == -signal.SIGKILL
        kills += 1
        assert not check(runs, hub)
        hub.wait_idle()
        assert hub.sent_bytes - sent - (done_bytes(runs) - done) <= MOST_TWICE
    hub.bytes_per_second = None
    runs.start()
    assert runs.end() == 0
    assert check(runs, hub)
    [model] = downloaded_models(runs.cache)
    assert model.state is ModelState.VERIFIED
    assert len({asked.name for asked in hub.asked if asked.kind == "cdn"}) == 4
    answer = cli.run("ask", "What are you?", "--temperature", "0", "--model", model.folder)
    assert b"tiny demo" in answer.stdout


def test_killed_at_every_change_of_the_disk(runs: Runs, hub: HubServer, tiny_model: Path) -> None:
    """Each step, from the first folder to the seal: a file more or less, and never a wrong model."""
    kept = ("config.json", "tokenizer.json", "model.safetensors")
    hub.files = {name: (tiny_model / name).read_bytes()[:30_000] for name in kept}
    seen = set()
    for step in count(1, 4):  # every fourth: each step is two runs
        runs.start(kill_at=step)
        if runs.end() == 0:
            break
        seen.add((check(runs, hub), bool(done_bytes(runs))))
        runs.start()
        assert runs.end() == 0
        assert check(runs, hub)
        assert [model.state for model in downloaded_models(runs.cache)] == [ModelState.VERIFIED]
        assert not list(RepoFolder(runs.cache, REPO).own.glob("*.partial"))
        shutil.rmtree(runs.cache)
    assert step > 40
    assert seen == {(False, False), (False, True), (True, True)}
