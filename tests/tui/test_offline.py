"""A whole visit without a network: where there is none, and where every socket is written down."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import ForbiddenConnectionError
from gemma_tui.network import NetworkGuard
from tests.tui.conftest import running_app
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from gemma_tui.paths import Paths

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
CTRL_L, CTRL_Q, DOWN, ENTER, ESCAPE, F3 = "\x0c", "\x11", "\x1b[B", "\r", "\x1b", "\x1bOR"


def permitted(*command: str) -> bool:
    """Whether a wrapper of commands is there and may do its work."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


NO_NETWORK = ("unshare", "--map-root-user", "--net")
WRITTEN_DOWN = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=network", "-o")


def visit(terminal: Terminal, exported: Path) -> None:
    """Chat, an image, a clip, a search, an export and another model."""
    terminal.shows("● ready")
    ask(terminal, "hello", 1)
    for count, (name, question, answer) in enumerate(
        [("red-circle.png", "What is this?", "red circle"), ("nine.wav", "What did I say?", "9")], 2
    ):
        terminal.paste(str(EXAMPLES / name))
        terminal.shows(f"{name.partition('.')[0]}")
        ask(terminal, question, count)
        assert answer in terminal.text
    terminal.type(F3)
    terminal.shows("Search all conversations")
    terminal.type("circle")
    terminal.shows("2 hits")
    terminal.type(ESCAPE)
    terminal.until(lambda: "Ask Gemma" in terminal.text, "the composer")
    terminal.type(f"/export {exported}")
    terminal.shows(exported.name)
    terminal.type(ENTER)
    terminal.until(exported.exists, "the file")
    terminal.type(CTRL_L)
    terminal.shows("other")
    terminal.type(DOWN + ENTER)
    terminal.shows("From here on Gemma 4 (other) answers")
    assert "offline" in terminal.text
    terminal.type(CTRL_Q)
    assert terminal.wait() == 0
    assert "red circle" in exported.read_text("utf-8")


def ask(terminal: Terminal, question: str, count: int) -> None:
    """Type, send, and wait until so many replies are complete."""
    terminal.type(question)
    terminal.shows(question)
    terminal.type(ENTER)  # in one burst with the words it would be a paste
    terminal.until(lambda: terminal.text.count("tokens/s") == count, f"reply {count}")
    terminal.shows("● ready")


@pytest.fixture
def library(tmp_path: Path, tiny_model: Path) -> Path:
    shutil.copytree(tiny_model, tmp_path / "models" / "other")
    return tmp_path / "models"


def program(wrapper: tuple[str, ...], home: Path, library: Path) -> Terminal:
    command = [*wrapper, sys.executable, "-m", "gemma_tui"]
    environ = {"GEMMA_TUI_MODEL_LIBRARY": str(library)}
    return Terminal(command, home=home, size=(110, 50), environ=environ)


def test_a_whole_visit_works_where_there_is_no_network(tmp_path: Path, library: Path) -> None:
    if not permitted(*NO_NETWORK):
        pytest.skip("a network namespace of its own is not permitted here")
    with closing(program(NO_NETWORK, tmp_path / "home", library)) as terminal:
        visit(terminal, tmp_path / "visit.md")


def test_a_whole_visit_opens_no_socket_of_a_network(tmp_path: Path, library: Path) -> None:
    """By the kernel's account, of all processes: it hears of libraries in C as well."""
    trace = tmp_path / "trace"
    if not permitted(*WRITTEN_DOWN, str(trace)):
        pytest.skip("strace is not installed, or may not trace here")
    with closing(program((*WRITTEN_DOWN, str(trace)), tmp_path / "home", library)) as terminal:
        visit(terminal, tmp_path / "visit.md")
    families = set(re.findall(r"\bAF_\w+", trace.read_text()))
    assert families == {"AF_UNIX"}  # asyncio's own pair: the trace is no empty one


async def test_the_badge_shows_who_is_connected_and_what_was_refused(paths: Paths) -> None:
    guard = NetworkGuard()
    async with running_app(paths, network=guard) as running:
        await running.shown(" offline ")
        with guard.elsewhere("models.example.org"):
            await running.shown("⇄ models.example.org")
            assert " offline " not in running.text()
            with guard.elsewhere("a\x1b[31mb.example.org"):
                await running.shown("⇄ a␛[31mb.example.org +1")
        await running.shown("⇄ 2 closed")
        with pytest.raises(ForbiddenConnectionError):
            guard._judge_lookup("tracker.example.org")
        await running.shown("A connection to tracker.example.org was refused")
