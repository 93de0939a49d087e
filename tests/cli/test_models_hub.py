"""`gemma-tui models` and a hub, as users run it: get, list, look at, verify, remove, import."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import CommandLine
from tests.hub_server import COMMIT, REPO, Fault, HubServer, files_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class HubCommandLine(CommandLine):
    """`gemma-tui` whose hub is the one of the test."""

    endpoint: str = ""

    @property
    def cache(self) -> Path:
        return self.folder / "hf" / "hub"

    @property
    def snapshot(self) -> Path:
        return self.cache / "models--tests--tiny-gemma" / "snapshots" / COMMIT

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in super().environment.items()
            if not name.startswith("HF_") and not name.lower().endswith("_proxy")
        }
        return kept | {"HF_ENDPOINT": self.endpoint, "HF_HOME": str(self.folder / "hf")}

    def models(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Run `gemma-tui models`; returns the exit code, what it printed, and what it told."""
        run = self.run("models", *arguments)
        return run.returncode, run.stdout.decode(), run.stderr.decode()


@pytest.fixture
def hub(tiny_model: Path) -> Iterator[HubServer]:
    server = HubServer(files_of(tiny_model))
    yield server
    server.close()


@pytest.fixture
def own(tmp_path: Path, hub: HubServer) -> HubCommandLine:
    (tmp_path / "tmp").mkdir()
    return HubCommandLine(tmp_path, hub.endpoint)


def test_the_life_of_a_model(own: HubCommandLine, hub: HubServer) -> None:
    assert own.models("path", REPO) == (
        2,
        "",
        f"gemma-tui: {REPO} is not on this disk. gemma-tui models pull {REPO} gets it.\n",
    )
    code, printed, told = own.models("pull", REPO)
    assert (code, printed) == (0, f"{own.snapshot}\n")
    assert told == f"gemma-tui: {REPO} at {COMMIT[:8]}: {len(hub.files)} files, 7.1 MB.\n"
    assert own.models("path", REPO.upper())[:2] == (0, f"{own.snapshot}\n")
    rows = json.loads(own.models("list", "--json")[1])
    [row] = [row for row in rows if row["repo"] == REPO]
    assert (row["state"], row["folder"], row["revision"]) == ("verified", str(own.snapshot), COMMIT)
    assert row["size_bytes"] == row["done_bytes"] == hub.total_bytes
    answer = own.run("ask", "What are you?", "--temperature", "0", "--model", REPO)
    assert b"tiny demo" in answer.stdout
    run = own.run("--plain", pipe=f"/model {REPO}\nhello\n".encode())
    assert run.returncode == 0
    assert b"From here on Gemma 4" in run.stdout
    assert own.models("verify")[:2] == (
        0,
        f"{REPO}@{COMMIT[:8]}: all {len(hub.files)} files are right\n",
    )
    code, printed, told = own.models("remove", REPO)
    assert code == 2
    assert "--yes" in told
    assert own.snapshot.exists()
    code, printed, _ = own.models("remove", REPO, "--yes")
    assert (code, printed) == (0, f"Removed {REPO} at {COMMIT[:8]}: 7.1 MB are free.\n")
    assert not list(own.cache.iterdir())


def test_the_list_offers_what_is_not_here(own: HubCommandLine) -> None:
    code, printed, told = own.models("list")
    assert (code, told) == (0, "")
    lines = printed.splitlines()
    assert lines[0].split()[0] == "built-in"
    assert "here" in lines[0]
    assert sum("not downloaded" in line for line in lines) > 10
    assert not own.cache.exists()


def test_what_is_known_of_a_variant(own: HubCommandLine) -> None:
    code, printed, _ = own.models("info", "e2b-4bit", "--json")
    facts = json.loads(printed)
    assert code == 0
    assert facts["state"] == "not downloaded"
    assert facts["verdict"] in {"fits", "tight", "no"}
    assert facts["memory"][0]["context_length"] == 4096
    assert facts["context_length"] == 131_072
    code, printed, _ = own.models("info", "e2b-4bit")
    assert code == 0
    assert "4,096 tokens" in printed


@pytest.mark.parametrize("command", ["pull", "info", "verify", "remove", "path"])
def test_a_name_that_is_none_is_2(own: HubCommandLine, command: str) -> None:
    code, printed, told = own.models(command, "e9b")
    assert (code, printed) == (2, "")
    assert "“e9b” is no model of the catalogue. gemma-tui models list shows them" in told


def test_a_fault_is_1_and_a_sentence(own: HubCommandLine, hub: HubServer) -> None:
    hub.rule = lambda _: Fault(404)
    code, printed, told = own.models("pull", REPO)
    assert (code, printed) == (1, "")
    assert told.startswith(f"gemma-tui: There is no {REPO} on 127.0.0.1 (404).")
    assert "\n" not in told.rstrip()


def test_a_model_that_is_not_whole_is_not_loaded(own: HubCommandLine, hub: HubServer) -> None:
    hub.rule = lambda asked: Fault(403) if asked.kind == "cdn" else None
    code, _, told = own.models("pull", REPO)
    assert code == 1
    assert f"What came is kept; gemma-tui models pull {REPO} goes on." in told
    [line] = [line for line in own.models("list")[1].splitlines() if line.startswith(REPO)]
    assert "partial" in line
    assert "39 kB of 7.1 MB" in line
    for arguments in (("ask", "Hi", "--model", REPO), ("models", "path", REPO)):
        run = own.run(*arguments)
        assert run.returncode == 2
        assert b"is not whole on this disk (partial)" in run.stderr
    code, _, told = own.models("verify", REPO)
    assert code == 1
    assert "is not whole" in told
    assert own.models("remove", REPO, "--yes")[0] == 0
    assert not list(own.cache.iterdir())


def test_damage_is_found_and_mended(own: HubCommandLine, hub: HubServer) -> None:
    own.models("pull", REPO)
    weights = own.snapshot / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(6_000_000)
        file.write(b"damaged")
    code, printed, _ = own.models("verify", REPO)
    assert code == 1
    assert f"damaged: model.safetensors. gemma-tui models pull {REPO} replaces them." in printed
    before = hub.sent_bytes
    code, _, told = own.models("pull", REPO)
    assert code == 0
    assert "its checksums are compared" in told
    assert hub.sent_bytes - before == len(hub.files["model.safetensors"])
    assert weights.read_bytes() == hub.files["model.safetensors"]


def test_progress_is_shown_on_a_terminal_and_ctrl_c_keeps_what_came(
    own: HubCommandLine, hub: HubServer
) -> None:
    hub.bytes_per_second = 1e6
    terminal, other_end = pty.openpty()
    with subprocess.Popen(
        own.command("models", "pull", REPO),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=other_end,
        env=own.environment,
        cwd=own.folder,
    ) as process:
        os.close(other_end)
        shown = b""
        while b" left" not in shown:
            shown += os.read(terminal, 1024)
        process.send_signal(signal.SIGINT)
        process.communicate()
    rest = os.read(terminal, 100_000)
    os.close(terminal)
    assert process.returncode == 130
    assert b"B/s, " in shown
    assert b"goes on." in rest
    hub.bytes_per_second = None
    _, _, told = own.models("pull", REPO)
    assert "of them are here" in told
    assert hub.sent_bytes <= hub.total_bytes + 1024 * 1024


def test_an_import_is_a_model_of_its_own(own: HubCommandLine, tiny_model: Path) -> None:
    disk = own.folder / "usb" / "my-tune"
    shutil.copytree(tiny_model, disk)
    code, printed, told = own.models("import", disk)
    target = own.home / "data" / "models" / "my-tune"
    assert (code, printed, told) == (0, f"{target}\n", "")
    shutil.rmtree(disk)
    [line] = [line for line in own.models("list")[1].splitlines() if line.startswith("my-tune")]
    assert "here" in line
    assert own.models("verify", "my-tune")[:2] == (0, "my-tune: all 8 files are right\n")
    assert own.models("path", "my-tune")[:2] == (0, f"{target}\n")
    (target / "README.md").write_text("changed")
    assert own.models("verify")[:2] == (
        1,
        "my-tune: damaged: README.md. Pull or import it again.\n",
    )
    assert own.models("remove", "my-tune", "--yes")[0] == 0
    assert not list(target.parent.iterdir())


def test_what_carries_code_is_not_imported(own: HubCommandLine, tiny_model: Path) -> None:
    disk = own.folder / "usb" / "evil"
    shutil.copytree(tiny_model, disk)
    (disk / "modeling.py").write_text("raise SystemExit")
    code, printed, told = own.models("import", disk)
    assert (code, printed) == (1, "")
    assert "can carry code" in told
    assert not (own.home / "data" / "models").exists()
