"""The engine's log: private, rotating, and without a word of a conversation."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gemma_tui.runtime.logfile import MAX_LOG_BYTES, describe

if TYPE_CHECKING:
    from pathlib import Path


def run(code: str, log: Path) -> subprocess.CompletedProcess[str]:
    """Run code that has `log`, a logger writing to that file."""
    preamble = (
        "import os, sys; from pathlib import Path; from gemma_tui.runtime.logfile import open_log\n"
        "log = open_log(Path(sys.argv[1]))\n"
    )
    command = (sys.executable, "-c", preamble + code, str(log))
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "engine.log"
    run("os.umask(0); log.info('hello')", log)
    assert "INFO hello" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


def test_whatever_is_printed_ends_there(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    done = run("print('by Python', flush=True); os.write(1, b'by C'); os.write(2, b' twice')", log)
    assert done.stdout == ""
    assert "by Python\nby C twice" in log.read_text()


def test_it_rotates_and_takes_the_prints_along(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    code = "for n in range(3000): log.info('x' * 1000)\nos.write(1, b'the end')"
    run(code, log)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["engine.log", "engine.log.1"]
    assert all(path.stat().st_size <= MAX_LOG_BYTES for path in tmp_path.iterdir())
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
    assert log.read_text().endswith("the end")


@pytest.mark.parametrize(
    ("error", "is_told"),
    [(RuntimeError("[matmul] shapes"), True), (ValueError("what the user wrote"), False)],
)
def test_messages_are_told_only_where_they_cannot_quote(error: Exception, is_told: bool) -> None:
    def fail() -> None:
        raise error

    try:
        fail()
    except (RuntimeError, ValueError) as caught:
        description = describe(caught)
    assert type(error).__name__ in description
    assert "in fail" in description
    assert (str(error) in description) is is_told
