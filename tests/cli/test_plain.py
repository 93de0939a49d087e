"""Plain mode as users run it: in a pipe and in a terminal, with the real engine and model."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import tomllib
from contextlib import asynccontextmanager, closing, contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.cli.chat_place import opened
from gemma_tui.conversation import MessageState
from gemma_tui.frontend.loaded_model import LoadedModel
from gemma_tui.hub.on_disk import real_path
from gemma_tui.paths import Paths
from gemma_tui.plain.commands import help_lines
from gemma_tui.plain.console import Console
from gemma_tui.plain.conversing import Conversing
from gemma_tui.plain.drafts import PlainDraft
from gemma_tui.plain.model_command import ModelCommand
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.schema import MIGRATIONS, migrate
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from subprocess import CompletedProcess

    import pytest

    from gemma_tui.conversation import Message
    from tests.cli.conftest import CommandLine

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
CTRL_C, CTRL_D, LEFT = "\x03", "\x04", "\x1b[D"


async def stored(cli: CommandLine, conversation_id: int = 1) -> tuple[Message, ...]:
    async with opened_store(cli) as store:
        return await store.messages(conversation_id)


PROGRESS = ("Loading", "Waiting", "Reading", "Sending", "Writing", "Thinking", "Finishing")


def noted(run: CompletedProcess[bytes]) -> list[str]:
    """What the standard error says, without how far something is: a busy machine says more."""
    lines = run.stderr.decode().splitlines()
    return [line for line in lines if not line.startswith(PROGRESS)]


@asynccontextmanager
async def opened_store(cli: CommandLine) -> AsyncIterator[ConversationStore]:
    database = await Database.open(cli.database)
    try:
        yield ConversationStore(database)
    finally:
        await database.close()


def saved(cli: CommandLine) -> dict[str, object]:
    """What the settings file says, whatever the section."""
    tables = tomllib.loads((cli.home / "config" / "settings.toml").read_text("utf-8")).values()
    return {key: value for table in tables for key, value in table.items()}


def copied_model(tiny_model: Path, folder: Path, *, is_whole: bool = True) -> Path:
    shutil.copytree(tiny_model, folder)
    if not is_whole:
        weights = folder / "model.safetensors"
        os.truncate(weights, weights.stat().st_size // 2)
    return folder


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
    assert noted(run) == []


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
    problems = noted(run)
    assert "no command /nope" in problems[0]
    assert "No picture is attached" in problems[1]
    assert "does not know “71”" in problems[2]
    assert "no conversation 7" in problems[3]
    assert "/no/such.png" in problems[4]
    assert "no question yet" in problems[5]
    assert len(problems) == 6
    assert len(await stored(cli)) == 2  # and the chat went on


def test_a_long_migration_is_told_before_anything_else(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(cli.database, isolation_level=None)) as old:
        with monkeypatch.context() as patch:
            patch.setattr("gemma_tui.storage.schema.MIGRATIONS", MIGRATIONS[:2])
            migrate(old, "x")
        old.executescript(
            "INSERT INTO conversation (title, system_prompt, created_at, updated_at, rank)"
            " VALUES ('old', printf('%.*c', 5 << 20, 's'), 0, 0, 1);"
        )
    run = cli.run("--plain", pipe=b"/list\n")
    first, *_ = run.stderr.decode().splitlines()
    assert first.startswith("gemma-tui: Bringing the conversations of an earlier version (5 MB)")
    assert b"old" in run.stdout
    again = cli.run("--plain", pipe=b"/list\n")
    assert b"earlier version" not in again.stderr


async def test_conversations_are_those_of_the_app(cli: CommandLine, tmp_path: Path) -> None:
    cli.run("--plain", pipe=b"hello\n")
    target = tmp_path / "talk.json"
    lines = (
        f"/open 1\n/system Be brief.\nAnd you?\n/export {target}\n/delete\n/list\n/undo\n/show\n"
    )
    run = cli.run("--plain", pipe=lines.encode())
    assert noted(run) == []
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


async def test_a_model_by_its_folder_is_saved_with_its_whole_path(
    cli: CommandLine, tiny_model: Path
) -> None:
    folder = copied_model(tiny_model, cli.folder / "mymodel")
    run = cli.run("--plain", pipe=b"/model mymodel\nhello\n/model\n/model 1\n/model 9\n")
    changed, _, *listed, back = run.stdout.decode().splitlines()
    assert changed == "From here on Gemma 4 (mymodel) answers."
    assert listed[1].startswith("2  Gemma 4 (mymodel), sees, hears, thinks")
    assert listed[2].startswith("Gemma 4 (mymodel) answers now.")
    assert back.startswith("From here on ")
    assert noted(run)[-1].startswith("There is no model 9.")
    _, reply = await stored(cli)
    assert reply.model == "Gemma 4 (mymodel)"
    assert saved(cli)["known_models"] == [real_path(folder)]
    assert saved(cli)["model"] == ""
    cli.run("--plain", pipe=b"/model mymodel\n")
    assert saved(cli)["model"] == real_path(folder)


async def test_a_model_that_cannot_be_loaded_leaves_the_one_before(
    cli: CommandLine, tiny_model: Path
) -> None:
    copied_model(tiny_model, cli.folder / "broken", is_whole=False)
    run = cli.run("--plain", pipe=b"/model broken\n/model ~nosuchuser/x\n/model a\0b\nhello\n")
    assert run.returncode == 1
    problems = [line for line in noted(run) if line != "Changing the model."]
    refused = [line for line in problems if " answers again. " in line]
    assert [line.partition(" could")[0] for line in refused] == ["broken", "x"]
    assert "truncated" in refused[0]
    assert problems[-1].startswith("/model cannot take a zero byte.")
    assert not (cli.home / "config" / "settings.toml").exists()
    question, reply = await stored(cli)
    assert (question.text, reply.state) == ("hello", MessageState.COMPLETE)


async def test_a_crash_in_the_middle_of_a_change_ends_with_the_new_model(
    tmp_path: Path, tiny_model: Path
) -> None:
    folder = copied_model(tiny_model, tmp_path / "other")
    paths = Paths(*(tmp_path / name for name in ("data", "logs", "cache", "config")))
    configuration = Configuration(SettingsFile(paths.settings), {})
    output = StringIO()
    async with opened(paths, configuration) as place:
        engine, console = place.engine, Console(output, StringIO())
        draft = PlainDraft(place.store, console)
        conversing = Conversing(place.chat, place.store, configuration, console, draft)
        loaded = LoadedModel(engine)
        await engine.load(tiny_model)
        await loaded.start(tiny_model)
        process_id = (await engine.status()).process_id
        killed = asyncio.Event()

        def kill(state: object) -> None:
            if engine.state.phase == "loading" and not killed.is_set():
                killed.set()
                os.kill(process_id, signal.SIGKILL)

        engine.watch(kill)
        await ModelCommand(loaded, engine, conversing, configuration, console).run(str(folder))
        assert killed.is_set()
        assert engine.state.model is not None
        assert engine.state.model.name == "Gemma 4 (other)"
    assert "From here on Gemma 4 (other) answers." in output.getvalue()
    assert configuration.resolve().settings.model == real_path(folder)


async def test_a_conversation_with_a_model_of_its_own_says_so(
    cli: CommandLine, tmp_path: Path
) -> None:
    cli.run("--plain", pipe=b"hello\n")
    async with opened_store(cli) as store:
        await store.set_settings(1, f'{{"model": "{tmp_path}/gemma-4-31b"}}')
    run = cli.run("--plain", pipe=b"/open 1\n/delete\n/undo\n")
    sentence = "This conversation uses another model in the app: gemma-4-31b. /model changes it"
    assert noted(run) == [f"{sentence} here."] * 2


async def test_arguments_that_are_no_use_end_nothing(cli: CommandLine) -> None:
    long = "9" * 5000
    unknown = "~nosuchuser/x.png"
    lines = (f"/open {long}", f"/model {long}", f"/attach {unknown}", "/attach a\0b", "hello")
    exports = ("/export ~nosuchuser/x.md", "/export a\0b.md", "/open a\0b", "/quit")
    run = cli.run("--plain", pipe="\n".join((*lines, *exports)).encode())
    problems = noted(run)
    assert "A number of 5,000 digits" in problems[0]
    assert "A number of 5,000 digits" in problems[1]
    assert unknown in problems[2]
    assert problems[3].startswith("/attach cannot take a zero byte.")
    assert "nosuchuser" in problems[4]
    assert problems[5].startswith("/export cannot take a zero byte.")
    assert problems[6].startswith("/open cannot take a zero byte.")
    assert len(problems) == 7
    assert len(await stored(cli)) == 2


async def test_what_was_deleted_in_an_earlier_run_is_removed(cli: CommandLine) -> None:
    cli.run("--plain", pipe=b"hello\n/delete\n")
    async with opened_store(cli) as store:
        assert (await store.get(1)).deleted  # there still, for an undo
    with in_terminal(cli, "--plain") as terminal:  # one that has the time for it
        terminal.shows("is ready.")
        terminal.type("/list\r")
        terminal.shows("There are no conversations yet.")
        # Not Ctrl+D: before the prompt is there, that would be the end of nothing
        terminal.type("/quit\r")
        assert terminal.wait() == 0
    async with opened_store(cli) as store:
        assert await store.purge() == 0  # nothing was left to remove


async def test_thinking_and_a_full_context_change_where_they_are_set(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cli.run("--plain", pipe=b"/think on\n/think\n/think maybe\n/overflow\nhello\n")
    assert run.stdout.decode().splitlines()[:3] == [
        "Thinking is on.",
        "Thinking is off.",
        "When the context is full, the oldest turns are left out.",
    ]
    assert "does not know “maybe”" in noted(run)[0]
    assert (saved(cli)["thinking"], saved(cli)["overflow"]) == (False, "drop_oldest")
    async with opened_store(cli) as store:
        await store.set_settings(1, '{"overflow": "drop_oldest", "thinking": true}')
    cli.run("--plain", pipe=b"/overflow\n")
    assert saved(cli)["overflow"] == "refuse"
    run = cli.run("--plain", pipe=b"/open 1\n/overflow\n/overflow\n/think\n")
    assert run.stdout.decode().splitlines()[-3:] == [
        "When the context is full, a question is refused.",
        "When the context is full, the oldest turns are left out.",
        "Thinking is off.",
    ]
    assert saved(cli)["overflow"] == "refuse"  # in all the others
    monkeypatch.setenv("GEMMA_TUI_OVERFLOW", "drop_oldest")
    run = cli.run("--plain", pipe=b"/overflow\n")
    assert run.stdout.decode() == "When the context is full, a question is refused.\n"


async def test_conversations_are_filed_and_found(cli: CommandLine) -> None:
    lines = (
        *("hello", "/tags #work, # urgent", "/tags", "/pin", "/new", "and you?", "/list"),
        *("/open 1", "/pin", "/archive", "/list", "/archive", "/list"),
        *("/search hello", "/search nothinglikeit", "/search", "/help"),
    )
    run = cli.run("--plain", pipe="\n".join(lines).encode())
    shown = run.stdout.decode()
    assert shown.count("Tags: urgent, work.") == 2
    assert "A new conversation." in shown
    pinned, unpinned = shown.split("Opened “hello”")
    assert pinned.splitlines()[-2].endswith("hello  pinned  #urgent  #work")
    assert pinned.splitlines()[-1].endswith("and you?")
    archived, back = unpinned.split("Taken back.")
    assert "Unpinned." in archived
    listed = archived.split("Archived.")[1]
    assert "and you?" in listed
    assert "hello" not in listed
    assert "hello  #urgent  #work" in back
    assert "1  hello: hello" in back
    assert "Nothing was found." in back
    assert "/open number" in back
    assert "what is attached, or written and not sent, if you type it." in back
    assert len(noted(run)) == 1
    assert noted(run)[0].startswith("/search needs words")


async def test_an_answer_goes_on_and_is_given_again(cli: CommandLine, rambling_model: Path) -> None:
    with in_terminal(cli, "--plain", "--model", rambling_model) as terminal:

        def written() -> list[str]:
            lines = terminal.text.rpartition("Gemma: ")[2].splitlines()
            return [line.strip() for line in lines if not line.startswith(PROGRESS)]

        def write_and_stop(answers: int) -> None:
            terminal.until(lambda: terminal.text.count("Gemma: ") == answers, "an answer")
            terminal.until(lambda: any(written()), "its text")
            terminal.type(CTRL_C)
            wanted = prompts + answers
            terminal.until(lambda: terminal.text.count("You: ") == wanted, "a prompt")

        terminal.shows("is ready.")
        prompts = terminal.text.count("You: ")  # one more for each note while it was loaded
        terminal.type("hello\r")
        write_and_stop(1)
        first = (await stored(cli))[-1]
        terminal.type("/continue\r")
        write_and_stop(2)
        longer = (await stored(cli))[-1]
        terminal.type("/retry\r")
        write_and_stop(3)
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
    assert longer.id == first.id
    assert longer.text.startswith(first.text)
    async with opened_store(cli) as store:
        *_, here = await store.siblings(1)
    assert len(here.ids) == 2


async def test_what_is_attached_to_the_messages_is_listed(cli: CommandLine) -> None:
    lines = (f"{EXAMPLES / 'blue-star.png'}", "what is this?", "/attachments")
    run = cli.run("--plain", pipe="\n".join(lines).encode())
    listed = run.stdout.decode().splitlines()[-1]
    assert listed.startswith("1  20")
    assert "the picture “blue-star.png”" in listed
    assert listed.endswith("tokens, with: what is this?")


async def test_what_was_exported_is_imported_and_what_needs_a_screen_says_so(
    cli: CommandLine, tmp_path: Path
) -> None:
    exported = tmp_path / "talk.json"
    lines = (
        "hello",
        f"/export {exported}",
        "/theme dark",
        "/delete",
        f"/import {exported}",
        "/list",
    )
    run = cli.run("--plain", pipe="\n".join(map(str, lines)).encode())
    assert run.returncode == 1  # of the colours
    assert noted(run) == [
        "/theme cannot work here. Nothing is drawn, so nothing has colours.",
    ]
    shown = run.stdout.decode().splitlines()
    assert shown[-2] == "Imported 1 conversation from gemma-tui."
    assert shown[-1].endswith("  hello")


def test_a_note_leaves_the_prompt_and_what_is_typed_below_it(cli: CommandLine) -> None:
    with in_terminal(cli, "--plain") as terminal:
        terminal.shows("You: ")
        terminal.type("half a li")
        terminal.until(lambda: "You: half a li" in terminal.text.partition("is ready.")[2])
        terminal.type("ne\r")
        terminal.shows("Gemma: ")
        terminal.type("/xyzzy\r")
        terminal.shows("There is no command /xyzzy. /help shows all.")
        terminal.type(CTRL_D)
        assert terminal.wait() == 0
    run = cli.run("--plain", pipe=b"/show\n/open 1\n/show\n")
    assert "You: half a line" in run.stdout.decode()


def test_the_help_breaks_its_lines_between_words_where_it_is_read() -> None:
    assert max(len(line) for line in help_lines(None)) > 80  # a pipe gets whole lines
    narrow = help_lines(64)
    assert max(map(len, narrow)) <= 64
    assert " ".join(" ".join(narrow).split()) == " ".join(" ".join(help_lines(None)).split())
