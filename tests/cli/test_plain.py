"""Plain mode as users run it: in a pipe and in a terminal, with the real engine and model."""

from __future__ import annotations

import signal
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.conversation import MessageState
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.conversation import Message
    from tests.cli.conftest import CommandLine

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
CTRL_C, CTRL_D, LEFT = "\x03", "\x04", "\x1b[D"


async def stored(cli: CommandLine, conversation_id: int = 1) -> tuple[Message, ...]:
    database = await Database.open(cli.database)
    try:
        return await ConversationStore(database).messages(conversation_id)
    finally:
        await database.close()


@contextmanager
def in_terminal(
    cli: CommandLine, *arguments: str | Path, term: str = "xterm-256color"
) -> Iterator[Terminal]:
    command = cli.command(*arguments)
    environ = {"TERM": term, "PYTHONPATH": cli.environment["PYTHONPATH"]}
    terminal = Terminal(command, home=cli.home, size=(100, 60), environ=environ)
    with closing(terminal):
        yield terminal


async def test_a_pipe_is_answered_line_by_line(cli: CommandLine) -> None:
    run = cli.run("--plain", pipe=b"hello\n/rename Greetings\n/list\n/quit\nnever read\n")
    assert run.returncode == 0
    answer, renamed, listed = run.stdout.decode().splitlines()
    question, reply = await stored(cli)
    assert question.text == "hello"
    assert answer == reply.text != ""
    assert renamed == "The conversation is called “Greetings”."
    assert listed.startswith("1  ")
    assert listed.endswith("  Greetings")
    assert b"\x1b" not in run.stdout + run.stderr
    assert run.stderr == b""


async def test_the_end_of_the_input_ends_it_and_the_last_line_needs_no_end(
    cli: CommandLine,
) -> None:
    run = cli.run("--plain", pipe=b"one line \\\nand its rest")
    assert run.returncode == 0
    question, _ = await stored(cli)
    assert question.text == "one line \nand its rest"


async def test_files_are_attached_by_their_path_or_by_a_command(cli: CommandLine) -> None:
    lines = (
        EXAMPLES / "blue-star.png",
        "/budget 70",
        f"/attach '{EXAMPLES / 'nine.wav'}'",
        "/detach",
        "What is this?",
    )
    run = cli.run("--plain", pipe="\n".join(map(str, lines)).encode())
    attached, cheaper, sound, _, answer = run.stdout.decode().splitlines()
    assert attached.startswith("Attached the picture “blue-star.png”")
    assert "of 70 tokens" in cheaper
    assert "nine.wav" in sound
    assert "star" in answer
    question, _ = await stored(cli)
    assert [(item.name, item.token_budget) for item in question.attachments] == [
        ("blue-star.png", 70)
    ]


async def test_what_goes_wrong_is_a_sentence_and_the_exit_code(cli: CommandLine) -> None:
    lines = b"/nope\n/budget 70\n/budget 71\n/open 7\n/attach /no/such.png\n/retry\nhello\n"
    run = cli.run("--plain", pipe=lines)
    assert run.returncode == 1
    problems = run.stderr.decode().splitlines()
    assert "no command /nope" in problems[0]
    assert "No picture is attached" in problems[1]
    assert "does not know “71”" in problems[2]
    assert "no conversation 7" in problems[3]
    assert "/no/such.png" in problems[4]
    assert "no question yet" in problems[5]
    assert len(problems) == 6
    assert len(await stored(cli)) == 2  # and the chat went on


async def test_conversations_are_those_of_the_app(cli: CommandLine, tmp_path: Path) -> None:
    cli.run("--plain", pipe=b"hello\n")
    target = tmp_path / "talk.json"
    lines = (
        f"/open 1\n/system Be brief.\nAnd you?\n/export {target}\n/delete\n/list\n/undo\n/show\n"
    )
    run = cli.run("--plain", pipe=lines.encode())
    assert run.stderr == b""
    assert target.exists()
    shown = run.stdout.decode()
    assert "Opened “hello”, 2 messages." in shown
    assert "There are no conversations yet." in shown
    assert "“hello” is back, and open." in shown
    assert shown.count("You: And you?") == 1
    messages = await stored(cli)
    assert [m.text for m in messages if m.role == "user"] == ["hello", "And you?"]


def test_escape_sequences_in_what_is_stored_are_made_visible(cli: CommandLine) -> None:
    run = cli.run("--plain", pipe=b"a\x1b]0;title\x07b\n/show\n")
    assert b"\x1b" not in run.stdout + run.stderr
    assert "You: a␛]0;title␇b" in run.stdout.decode()


async def test_a_dumb_terminal_gets_it_unasked_and_not_one_escape_sequence(
    cli: CommandLine,
) -> None:
    with in_terminal(cli, term="dumb") as terminal:
        terminal.shows("You: ")
        terminal.type(f"hllo{LEFT}{LEFT}{LEFT}e\r")
        terminal.shows("Gemma: ")
        terminal.until(lambda: terminal.text.count("You: ") == 2, "the next prompt")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.written
        assert (await stored(cli))[0].text == "hello"


async def test_ctrl_c_stops_the_reply_and_then_leaves(
    cli: CommandLine, rambling_model: Path
) -> None:
    with in_terminal(cli, "--plain", "--model", rambling_model) as terminal:
        terminal.shows("You: ")
        terminal.type("hello\r")
        terminal.shows("Gemma: ")
        terminal.type(CTRL_C)
        terminal.shows("Stopped.")
        terminal.until(lambda: terminal.text.count("You: ") == 2, "the next prompt")
        terminal.type(CTRL_C)
        terminal.shows("Ctrl+C again")
        terminal.type(CTRL_C)
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.written
        _, reply = await stored(cli)
        assert reply.state is MessageState.CANCELLED


async def test_a_signal_ends_it_and_keeps_what_was_written(
    cli: CommandLine, rambling_model: Path
) -> None:
    with in_terminal(cli, "--plain", "--model", rambling_model) as terminal:
        terminal.shows("You: ")
        terminal.type("hello\r")
        terminal.shows("Gemma: ")
        terminal.kill(signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
        _, reply = await stored(cli)
        assert reply.state is MessageState.CANCELLED
