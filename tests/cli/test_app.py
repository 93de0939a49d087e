"""The app as its users start it: a process in a terminal, with the real engine below it."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pexpect
import pyte
import pytest

from gemma_tui.conversation import Draft, MessageState
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import CommandLine

COLUMNS, ROWS = 100, 30
PATIENCE = 60
CTRL_Q = "\x11"


class Terminal:
    """What a user sees of a process in a terminal."""

    def __init__(self, cli: CommandLine, *arguments: str) -> None:
        program, *rest = cli.command(*arguments)
        self.everything = ""
        """All that was ever written."""
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self.process = pexpect.spawn(
            program,
            rest,
            env={**cli.environment, "TERM": "xterm-256color", "GEMMA_TUI_TOUR": "false"},
            dimensions=(ROWS, COLUMNS),
            timeout=PATIENCE,
        )

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def wait_for(self, *texts: str) -> None:
        """Read until every text is on the screen."""
        while not all(text in self.text for text in texts):
            self._read()

    def _read(self) -> None:
        data = self.process.read_nonblocking(65536, timeout=PATIENCE)
        self.everything += data.decode(errors="replace")
        self._stream.feed(data)

    def type(self, keys: str) -> None:
        self.process.send(keys)

    def wait(self) -> int:
        """Read to the end; the exit code, negative for a signal."""
        with suppress(pexpect.EOF):
            while True:
                self._read()
        self.process.close()
        status = self.process.exitstatus
        return -self.process.signalstatus if status is None else int(status)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    started: list[Terminal] = []
    yield started
    for terminal in started:
        terminal.process.close(force=True)


def test_ask_leaves_only_the_answer_on_a_terminal(
    cli: CommandLine, terminals: list[Terminal], red_picture: Path
) -> None:
    ask = Terminal(cli, "ask", "What is this?", "-a", str(red_picture), "--temperature", "0")
    terminals.append(ask)
    assert ask.wait() == 0
    assert "loading the model" in ask.everything
    (answer,) = ask.text.strip().splitlines()
    assert ask.everything.endswith(f"\x1b[K{answer.rstrip()}\r\n")


async def test_an_answer_outlives_a_kill_of_the_app(
    cli: CommandLine, rambling_model: object, terminals: list[Terminal]
) -> None:
    first = Terminal(cli, "--model", str(rambling_model))
    terminals.append(first)
    first.wait_for("Ask Gemma")
    first.type("hello there\r")
    first.wait_for("hello there", "tok/s")
    first.process.kill(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL

    second = Terminal(cli)
    terminals.append(second)
    second.wait_for("hello there", "interrupted")
    second.type("a draft")
    second.wait_for("a draft")
    second.type(CTRL_Q)
    assert second.wait() == 0

    database = await Database.open(cli.database)
    store = ConversationStore(database)
    (conversation,) = await store.list()
    question, reply = await store.messages(conversation.id)
    assert (question.text, reply.state) == ("hello there", MessageState.INTERRUPTED)
    assert reply.text
    assert await store.load_draft(conversation.id) == Draft("a draft")
    await database.close()


def test_a_damaged_database_is_set_aside_and_told(
    cli: CommandLine, terminals: list[Terminal]
) -> None:
    cli.database.parent.mkdir(parents=True)
    cli.database.write_bytes(b"\xff" * 5000)
    app = Terminal(cli)
    terminals.append(app)
    app.wait_for("Ask Gemma", "The database was damaged", "new one was begun")
    app.process.kill(signal.SIGTERM)
    assert app.wait() == 128 + signal.SIGTERM
    kept = cli.database.with_name("conversations.db.damaged-1")
    assert kept.read_bytes() == b"\xff" * 5000


def test_a_data_folder_that_cannot_be_used_is_told_before_the_screen_opens(
    cli: CommandLine, terminals: list[Terminal]
) -> None:
    cli.home.write_text("a file in the way")
    app = Terminal(cli)
    terminals.append(app)
    assert app.wait() == 1
    assert "gemma-tui: The data folder" in app.everything
    assert "\x1b[?1049h" not in app.everything
