"""`gemma-tui ask` with the real engine and the built-in model."""

# ruff: noqa: ASYNC240  # nothing else runs on the loop

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.cli.ask import _is_cut_short, run_ask
from gemma_tui.cli.commands import run_command
from gemma_tui.cli.question import Question
from gemma_tui.conversation import Conversation, Message, MessageState, TextPart, ThoughtPart
from gemma_tui.errors import CapabilityError
from gemma_tui.generation import Finished, TurnsLeftOut
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.preprocessing.budget import image_tokens
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.preprocessing import documents
from tests.preprocessing.videos import encoded_video
from tests.scripted_engine import MODEL, USAGE, ScriptedEngine, Step

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.cli.conftest import CommandLine


def value(run: subprocess.CompletedProcess[bytes]) -> Any:
    """The JSON object that a successful run printed, and nothing else."""
    assert (run.returncode, run.stderr) == (0, b""), run
    (line,) = run.stdout.decode().splitlines()
    return json.loads(line)


async def saved(cli: CommandLine) -> tuple[Conversation, tuple[Message, ...]]:
    """The one conversation that was saved."""
    database = await Database.open(cli.database)
    store = ConversationStore(database)
    (conversation,) = await store.list()
    messages = await store.messages(conversation.id)
    await database.close()
    return conversation, messages


def test_a_log_that_cannot_be_written_is_written_elsewhere(cli: CommandLine) -> None:
    log = cli.home / "logs" / "engine.log"
    log.mkdir(parents=True)
    run = cli.run("ask", "hello")
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.strip()
    assert not list(log.iterdir())


def test_the_answer_and_nothing_else(cli: CommandLine) -> None:
    run = cli.run("ask", "hello", "--temperature", "0")
    assert (run.returncode, run.stderr) == (0, b"")
    answer = run.stdout.decode()
    assert answer.strip()
    assert answer.endswith("\n")
    assert not cli.database.exists(), "without --save nothing is stored"
    assert not (cli.home / "cache").exists()
    assert list(cli.temporary.iterdir()) == []
    again = value(cli.run("ask", "--json", "--temperature", "0", pipe=b"hello\n"))
    assert again["text"].strip() == answer.strip()
    assert (again["finish_reason"], again["conversation_id"]) == ("stop", None)
    assert again["usage"]["generated_tokens"] > 0


def test_without_save_a_file_in_the_place_of_the_home_does_no_harm(cli: CommandLine) -> None:
    cli.home.write_text("not a folder")
    run = cli.run("ask", "hello", "--max-tokens", "1")
    assert (run.returncode, run.stderr) == (0, b"")
    assert cli.home.read_text() == "not a folder"
    refused = cli.run("ask", "hello", "--save")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"GEMMA_TUI_HOME" in refused.stderr


async def test_a_saved_question_with_a_piped_clip_and_a_picture(
    cli: CommandLine, red_picture: Path, silent_clip: Path
) -> None:
    run = cli.run(
        *("ask", "What is this?", "-a", red_picture, "--image-tokens", "140", "--system", "Be"),
        *("--save", "--json", "--max-tokens", "3"),
        pipe=silent_clip.read_bytes(),
    )
    found = value(run)
    picture, clip = found["attachments"]
    assert (picture["name"], picture["token_budget"]) == ("red.png", 140)
    assert picture["soft_tokens"] == 16 * 8
    assert (clip["name"], clip["media_type"], clip["soft_tokens"]) == ("stdin", "audio/wav", 25)
    assert found["usage"]["prompt_tokens"] > 16 * 8 + 25

    conversation, (question, reply) = await saved(cli)
    assert (conversation.id, conversation.title) == (found["conversation_id"], "What is this?")
    assert conversation.system_prompt == "Be"
    assert [a.name for a in question.attachments] == ["red.png", "stdin"]
    assert (reply.text, reply.state) == (found["text"], MessageState.COMPLETE)
    files = [p for p in (cli.home / "data" / "blobs").rglob("*") if p.is_file()]
    contents = {p.read_bytes() for p in files}
    assert contents == {red_picture.read_bytes(), silent_clip.read_bytes()}


def test_the_same_seed_gives_the_same_answer_cut_off_where_it_was_told(
    cli: CommandLine, rambling_model: Path
) -> None:
    options = ("--model", rambling_model, "--max-tokens", "12", "--seed", "5", "--temperature", "2")
    first, second = (value(cli.run("ask", "hello", "--json", *options)) for _ in range(2))
    assert (first["finish_reason"], first["usage"]["generated_tokens"]) == ("length", 12)
    assert first["text"] == second["text"] != ""


def test_a_stop_string_ends_the_answer(cli: CommandLine) -> None:
    whole = value(cli.run("ask", "hello", "--json", "--temperature", "0"))["text"]
    words = whole.split()
    stops = ("--stop", "never said", "--stop", words[2])
    found = value(cli.run("ask", "hello", "--json", "--temperature", "0", *stops))
    assert found["text"] == whole.partition(words[2])[0]
    assert found["finish_reason"] == "stop"


def test_every_option_reaches_the_engine(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script: list[Step] = [TurnsLeftOut(1, 1204), "ha ha", Finished("repetition", USAGE)]
    engine = ScriptedEngine(script)
    monkeypatch.setattr("gemma_tui.cli.ask.engine_of", lambda *_, **__: engine)
    monkeypatch.setattr("gemma_tui.cli.commands.default_paths", lambda: paths)
    monkeypatch.setattr(sys, "stdin", None)
    arguments = (
        *("--temperature", "0.5", "--top-k", "3", "--top-p", "0.8", "--min-p", "0.1"),
        *("--repetition-penalty", "1.2", "--presence-penalty", "0.3", "--seed", "4"),
        *("--max-tokens", "9", "--think", "--max-thought-tokens", "5", "--stop", "a"),
        *("--stop", "b c"),
    )
    assert run_command(["ask", "hi", *arguments]) == 0
    (request,) = engine.requests
    sampling = SamplingOptions(0.5, 3, 0.8, 4, 0.1, 1.2, 0.3)
    assert request.options == GenerationOptions(
        sampling, max_tokens=9, thinking=True, max_thought_tokens=5, stop=("a", "b c")
    )
    told = capsys.readouterr()
    assert told.out == "ha ha\n"
    assert told.err.splitlines() == [
        "gemma-tui: The oldest turn was left out (1,204 tokens): the context is full.",
        "gemma-tui: The answer said the same over and over, so it was cut off.",
    ]


def test_what_is_not_given_is_left_to_the_model(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ScriptedEngine()
    monkeypatch.setattr("gemma_tui.cli.ask.engine_of", lambda *_, **__: engine)
    monkeypatch.setattr("gemma_tui.cli.commands.default_paths", lambda: paths)
    monkeypatch.setattr(sys, "stdin", None)
    assert run_command(["ask", "hi"]) == 0
    assert engine.requests[0].options == GenerationOptions()


def test_a_question_that_is_refused_leaves_no_conversation(
    paths: Paths, silent_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ScriptedEngine(model=replace(MODEL, can_hear=False))
    monkeypatch.setattr("gemma_tui.cli.ask.engine_of", lambda *_, **__: engine)
    monkeypatch.setattr(sys, "stdin", None)
    question = Question("What was said?", files=(str(silent_clip),))
    with pytest.raises(CapabilityError, match="cannot hear"):
        run_ask(question, paths.data, paths, as_json=True, save=True)

    async def left() -> tuple[Conversation, ...]:
        database = await Database.open(paths.database)
        conversations = await ConversationStore(database).list()
        await database.close()
        return conversations

    assert asyncio.run(left()) == ()
    assert engine.is_closed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-a", "gone.png"], "There is no file “gone.png”"),
        (["-a", "notes.png"], "notes.png"),
        (["--model", "."], "config.json"),
    ],
)
def test_a_failure_is_1_and_one_sentence(
    cli: CommandLine, arguments: list[str], sentence: str
) -> None:
    (cli.folder / "notes.png").write_bytes(b"neither a picture nor text: \xff")
    run = cli.run("ask", "hi", "--json", *arguments)
    assert (run.returncode, run.stdout) == (1, b"")
    (line,) = run.stderr.decode().splitlines()
    assert line.startswith("gemma-tui: ")
    assert sentence in line
    assert list(cli.temporary.iterdir()) == []


async def test_ctrl_c_keeps_and_prints_the_answer_so_far(
    cli: CommandLine, rambling_model: Path
) -> None:
    run = cli.start("ask", "hello", "--save", "--model", rambling_model)
    assert run.stdout is not None
    beginning = run.stdout.read(1)
    run.send_signal(signal.SIGINT)
    rest, errors = run.communicate()
    assert (run.returncode, errors) == (130, b"")
    answer = (beginning + rest).decode()
    assert answer.endswith("\n")
    _, (_, reply) = await saved(cli)
    assert reply.state is MessageState.CANCELLED
    assert reply.text.rstrip("\n") == answer.rstrip("\n")
    assert list(cli.temporary.iterdir()) == []


def test_a_signal_prints_the_json_so_far(cli: CommandLine, rambling_model: Path) -> None:
    # The text cannot be seen while it streams, so the database tells when there is some.
    run = cli.start("ask", "hello", "--save", "--json", "--model", rambling_model)
    look = [sys.executable, "-c", WAIT_FOR_TEXT, str(cli.database)]
    subprocess.run(look, check=True)
    run.terminate()
    output, errors = run.communicate()
    assert (run.returncode, errors) == (128 + signal.SIGTERM, b"")
    found = json.loads(output)
    assert found["finish_reason"] == "cancelled"
    assert found["text"]
    assert list(cli.temporary.iterdir()) == []


WAIT_FOR_TEXT = """
import pathlib, sqlite3, sys, time
while True:
    time.sleep(0.01)
    if not pathlib.Path(sys.argv[1]).exists():
        continue
    connection = sqlite3.connect(sys.argv[1], timeout=10)
    query = "SELECT count(*) FROM message JOIN part ON message_id = id WHERE role = 'model'"
    try:
        (count,) = connection.execute(query).fetchone()
    except sqlite3.OperationalError:
        count = 0
    connection.close()
    if count:
        break
"""


def test_a_reader_that_goes_away_ends_it_quietly(cli: CommandLine, rambling_model: Path) -> None:
    # Hot, so that it goes on to say something: a reader is only missed when there is text.
    run = cli.start("ask", "hello", "--model", rambling_model, "--temperature", "2", "--seed", "5")
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.read(1)
    run.stdout.close()
    assert run.stderr.read() == b""
    assert run.wait() == 128 + signal.SIGPIPE
    run.stderr.close()
    assert list(cli.temporary.iterdir()) == []


def can_leave_the_network() -> bool:
    unshare = shutil.which("unshare")
    if unshare is None or os.getuid() != 0:
        return False
    return subprocess.run([unshare, "-n", "true"], check=False).returncode == 0


@pytest.mark.skipif(not can_leave_the_network(), reason="needs Linux and root")
def test_it_works_without_any_network(cli: CommandLine, red_picture: Path) -> None:
    run = cli.run("ask", "What is this?", "-a", red_picture, before=["unshare", "-n"])
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.strip()


@pytest.mark.parametrize(
    ("text", "thought", "max_tokens", "is_told"),
    [("So", "", 4096, True), ("So", "", 9, False), ("", "hm", 9, True)],
)
def test_a_cut_that_nobody_asked_for_is_told(
    text: str, thought: str, max_tokens: int, is_told: bool
) -> None:
    parts = tuple(part for part in (ThoughtPart(thought), TextPart(text)) if part.text)
    reply = Message(2, 1, 1, "model", parts, MessageState.COMPLETE, 0.0, finish_reason="length")
    assert _is_cut_short(reply, GenerationOptions(max_tokens=max_tokens)) is is_told


def test_a_text_file_is_read_with_the_question(cli: CommandLine, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("words " * 50)
    asked = ("--json", "--max-tokens", "1")
    found = value(cli.run("ask", "What is this?", "-a", notes, *asked))
    (item,) = found["attachments"]
    assert (item["name"], item["kind"], item["media_type"]) == ("notes.txt", "text", "text/plain")
    alone = value(cli.run("ask", "What is this?", *asked))
    assert found["usage"]["prompt_tokens"] > alone["usage"]["prompt_tokens"] + 50
    notes.write_bytes(b"caf\xe9")
    refused = cli.run("ask", "What is this?", "-a", notes)
    assert refused.returncode != 0
    assert b"notes.txt" in refused.stderr


def test_pages_of_a_document_are_named(cli: CommandLine, tmp_path: Path) -> None:
    """By `--range`, or by the program where not all of them fit."""
    pytest.importorskip("pypdfium2", reason="the extra gemma-tui[pdf] is not installed")
    path = tmp_path / "long.pdf"
    path.write_bytes(documents.pdf([b""] * 300))
    chosen = cli.run("ask", "What is it?", "-a", str(path), "--range", "2-3,300", "--json")
    (attached,) = value(chosen)["attachments"]
    assert (attached["pages"], attached["token_budget"]) == ([2, 3, 300], 70)
    assert attached["soft_tokens"] == 3 * 63
    too_much = "word " * 9_000  # so that nothing is read: it is told before
    whole = cli.run("ask", too_much, "-a", str(path), "--image-tokens", "560")
    assert whole.returncode == 1
    assert "has 300 pages: the first 11 are attached" in whole.stderr.decode()
    refused = cli.run("ask", "What is it?", "--range", "1")
    assert refused.returncode == 2
    assert "no document or text is attached" in refused.stderr.decode()


def test_a_video_is_its_frames_at_the_rate_and_budget_that_were_asked_for(
    cli: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "film"
    path.write_bytes(encoded_video("mp4", "mpeg4", range(0, 4000, 100), sound_seconds=1.0))
    asked = ("ask", "Hm?", "-a", str(path), "--json", "--max-tokens", "1")
    (plain,) = value(cli.run(*asked))["attachments"]
    assert plain["frames"] == [0, 1, 2, 3]
    assert (plain["clips"], plain["token_budget"]) == (1, 70)
    other = cli.run(*asked, "--range", "1/2 silent", "--image-tokens", "140")
    (chosen,) = value(other)["attachments"]
    assert chosen["frames"] == [0, 2]
    assert (chosen["clips"], chosen["token_budget"]) == (0, 140)
    assert chosen["soft_tokens"] == 2 * image_tokens(192, 96, 140)


@pytest.mark.parametrize("row", ["1;2;3\n", "a line of words that many texts have\n"])
def test_what_is_attached_unasked_of_a_long_text_fits(
    cli: CommandLine, tmp_path: Path, row: str
) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"a;b;c\n{row * 9_000}")
    run = cli.run("ask", "Hello", "-a", str(path), "--max-tokens", "1", "--json")
    assert run.returncode == 0, run.stderr
    assert " of 9,000" in run.stderr.decode()
    assert 8192 // 2 < json.loads(run.stdout)["usage"]["prompt_tokens"] < 8192
