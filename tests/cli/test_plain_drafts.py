"""Drafts of plain mode: what is not sent stays, in a terminal and beside the app's."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Draft
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.cli.test_plain import EXAMPLES, in_terminal
from tests.tui.foreign_text import Program
from tests.tui.naughty_strings import ACTING
from tests.tui.terminal_grammar import Grammar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.cli.conftest import CommandLine
    from tests.tui.terminal import Terminal

CTRL_C, CTRL_D, CTRL_U = "\x03", "\x04", "\x15"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@asynccontextmanager
async def opened_store(database_file: Path) -> AsyncIterator[ConversationStore]:
    database_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = await Database.open(database_file)
    try:
        yield ConversationStore(database)
    finally:
        await database.close()


async def draft_of(cli: CommandLine, conversation_id: int | None) -> Draft:
    async with opened_store(cli.database) as store:
        return await store.load_draft(conversation_id)


def leave(terminal: Terminal) -> None:
    """With Ctrl+C, as whoever has typed half a line must."""
    terminal.type(CTRL_C)
    terminal.shows("Ctrl+C again")
    terminal.type(CTRL_C)
    assert terminal.wait() == 0


async def test_what_was_typed_and_attached_is_there_the_next_time(cli: CommandLine) -> None:
    with in_terminal(cli, "--plain") as terminal:
        terminal.shows("You: ")
        terminal.type(f"{EXAMPLES / 'blue-star.png'}\r")
        terminal.shows("Attached the picture")
        terminal.type("first line\\\r")
        terminal.shows("… ")
        terminal.type("and the sec")
        terminal.shows("… and the sec")
        leave(terminal)
    draft = await draft_of(cli, None)
    assert draft.text == "first line\nand the sec"
    assert [item.name for item in draft.attachments] == ["blue-star.png"]
    with in_terminal(cli, "--plain") as terminal:
        terminal.shows("You: first line^Jand the sec")
        assert "Attached is the picture “blue-star.png”" in terminal.text
        terminal.type("ond\r")
        terminal.shows("Gemma: ")
        terminal.until(lambda: terminal.text.count("You: ") == 2, "the next prompt")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.written
    async with opened_store(cli.database) as store:
        question = (await store.messages(1))[0]
        assert question.text == "first line\nand the second"
        assert len(question.attachments) == 1
        assert await store.load_draft(1) == await store.load_draft(None) == Draft()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
async def test_however_it_ends_what_was_typed_is_kept(cli: CommandLine, number: int) -> None:
    async with opened_store(cli.database) as store:
        await store.create("talk")
    with in_terminal(cli, "--plain") as terminal:
        terminal.shows("You: ")
        terminal.type("/open 1\r")
        terminal.shows("Opened")
        terminal.until(lambda: terminal.text.count("You: ") == 2, "the prompt")
        terminal.type("half a sentence")
        terminal.shows("You: half a sentence")
        if number == signal.SIGKILL:  # nobody can do anything then: it must have been kept before
            while (await draft_of(cli, 1)).text != "half a sentence":
                terminal.read()
        terminal.kill(number)
        terminal.wait()
    assert (await draft_of(cli, 1)).text == "half a sentence"


async def test_each_conversation_has_its_own(cli: CommandLine) -> None:
    async with opened_store(cli.database) as store:
        await store.create("one")
        await store.create("two")
        await store.save_draft(2, Draft("for the second"))
    with in_terminal(cli, "--plain") as terminal:
        terminal.shows("You: ")
        terminal.type(f"/open 1\r{EXAMPLES / 'nine.wav'}\r")
        terminal.shows("Attached the sound")
        terminal.type("/open 2\r")
        terminal.shows("You: for the second")
        terminal.type(f"{CTRL_U}/attach\r")
        terminal.shows("Nothing is attached.")
        terminal.type("/open 1\r")
        terminal.shows("Attached is the sound")
        terminal.type("/quit\r")
        assert terminal.wait() == 0
    assert [item.name for item in (await draft_of(cli, 1)).attachments] == ["nine.wav"]


async def test_what_could_not_be_sent_stands_at_the_prompt_again(cli: CommandLine) -> None:
    async with opened_store(cli.database) as store:
        await store.create("talk")
    with in_terminal(cli, "--plain") as terminal:
        terminal.shows("You: ")
        terminal.type("/open 1\r")
        terminal.shows("Opened")
        with closing(sqlite3.connect(cli.database)) as connection, connection:
            connection.execute("DELETE FROM conversation")
        terminal.type("keep me\r")
        terminal.until(lambda: terminal.text.count("You: keep me") == 2, "the text is back")
        terminal.type(f"{CTRL_U}/quit\r")
        assert terminal.wait() == 0


async def test_a_script_loses_no_draft_and_sends_none(cli: CommandLine) -> None:
    async with opened_store(cli.database) as store:
        await store.create("talk")
        await store.save_draft(1, Draft("of the app"))
    run = cli.run("--plain", pipe=b"/open 1\nhello\n")
    assert run.returncode == 0
    assert b"of the app" not in run.stdout + run.stderr
    async with opened_store(cli.database) as store:
        assert (await store.messages(1))[0].text == "hello"
        assert await store.load_draft(1) == Draft("of the app")


async def test_a_draft_that_no_line_can_show_stays_for_the_app(
    cli: CommandLine, home: Path
) -> None:
    foreign = "".join(ACTING)
    async with opened_store(cli.database) as store:
        await store.create("talk")
        await store.save_draft(1, Draft(foreign))
    program = Program(cli.home, "--plain", "--model", f"{home.parent}/scripted", size=(100, 60))
    with closing(program):
        program.shows("ready")
        program.type("/open 1\r")
        program.shows("the app shows it")
        program.type("hello\r")
        program.shows("yes")
        program.until(lambda: program.text.rstrip().endswith("You:"), "the next prompt")
        program.type("and half")
        program.shows("You: and half")
        leave(program)
        assert program.foreign(Grammar(draws=False, is_edited=True)) == []
    assert (await draft_of(cli, 1)).text == f"{foreign}\nand half"
