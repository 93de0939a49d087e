"""Liveness by locks: of this process, of another one, of one that was killed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from gemma_tui.storage.instance import Instance

if TYPE_CHECKING:
    from pathlib import Path

CHILD = """
import sys
from pathlib import Path
from gemma_tui.storage.instance import Instance
print(Instance(Path(sys.argv[1])).token, flush=True)
sys.stdin.read()
"""


def test_a_process_is_alive_until_it_leaves(tmp_path: Path) -> None:
    mine, other = Instance(tmp_path), Instance(tmp_path)
    assert mine.is_alive(mine.token)
    assert mine.is_alive(other.token)
    other.release()
    assert not mine.is_alive(other.token)
    mine.release()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_is_dead_and_can_be_buried(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        token = child.stdout.readline().strip()
        mine = Instance(tmp_path)
        assert mine.is_alive(token)
        assert mine.bury_dead() == 0
        child.kill()
        child.wait()
    assert not mine.is_alive(token)
    assert mine.bury_dead() == 1
    assert mine.bury_dead() == 0
    mine.release()


def test_a_token_is_never_a_path(tmp_path: Path) -> None:
    mine = Instance(tmp_path / ".")
    assert not mine.is_alive("../../etc/passwd")
    assert not mine.is_alive("")
    mine.release()
