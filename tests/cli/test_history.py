"""`gemma-tui history` as users run it: processes of its own, also beside an open database."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.exchange.test_refusals import CONVERSATION, MESSAGE, PICTURE, own

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine


def export_of(picture: Path, title: str = "Birds") -> bytes:
    """Our JSON with one conversation, which has a picture."""
    content = picture.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    attachment: dict[str, object] = {
        **PICTURE,
        "sha256": sha256,
        "name": "red.png",
        "size_bytes": len(content),
    }
    question: dict[str, object] = {
        **MESSAGE,
        "parts": [attachment, {"type": "text", "text": "Which bird?"}],
    }
    thought = {"type": "thought", "text": "It is red."}
    answer: dict[str, object] = {**MESSAGE, "parent": 1, "role": "model", "model": "E2B"}
    answer["parts"] = [thought, {"type": "text", "text": "A robin \x1b[2J."}]
    conversation: dict[str, object] = {
        **CONVERSATION,
        "title": title,
        "leaf": 2,
        "messages": [question, answer],
    }
    value = {
        "format": "gemma-tui conversations",
        "version": 1,
        "files": [{"sha256": sha256, "data": base64.b64encode(content).decode()}],
        "conversations": [conversation],
    }
    return json.dumps(value).encode()


@pytest.fixture
def birds(cli: CommandLine, red_picture: Path) -> Path:
    """A file to import. Its picture lies about its size; the engine finds the true one."""
    path = cli.folder / "birds.json"
    path.write_bytes(export_of(red_picture))
    return path


def test_import_list_show_export(cli: CommandLine, birds: Path) -> None:
    run = cli.run("history", "import", birds)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout == b"Imported from gemma-tui: 1 conversation, 2 messages, 1 attachment.\n"

    run = cli.run("history", "list", "--json")
    (line,) = run.stdout.splitlines()
    row = json.loads(line)
    assert (row["title"], row["updated_at"], row["tags"]) == ("Birds", 2.0, [])
    number = str(row["id"])
    assert cli.run("history", "list").stdout.decode().split() == [number, *day(2.0), "Birds"]

    run = cli.run("history", "search", "which", "BIRD")
    assert run.stdout.decode().split("  ") == [
        *(number, " ".join(day(1.0)), "Birds", "Which bird? · red.png\n"),
    ]
    hits = [
        json.loads(line)
        for line in cli.run("history", "search", "birds", "--json").stdout.splitlines()
    ]
    assert [(hit["title"], hit["message_id"], hit["ranges"]) for hit in hits] == [
        ("Birds", None, [[0, 5]])
    ]
    nothing = cli.run("history", "search", "wren")
    assert (nothing.returncode, nothing.stdout) == (0, b"")
    assert nothing.stderr == b"Nothing was found.\n"

    run = cli.run("history", "show", number)
    assert run.stdout.decode() == (
        "Birds\n\n── You\n[image: red.png]\nWhich bird?\n\n── E2B\n│ It is red.\nA robin \x1b[2J.\n"
    )
    shown = json.loads(cli.run("history", "show", number, "--json").stdout)
    part = shown["messages"][0]["parts"][0]
    assert (part["width"], part["height"], part["kind"]) == (200, 100, "image")

    out = cli.folder / "out.json"
    run = cli.run("history", "export", number, "--format", "json", "--out", out)
    assert (run.returncode, run.stdout.decode()) == (0, f"{out}\n")
    piped = cli.run("history", "export", "--all", "--format", "json", "--out", "-")
    assert piped.stdout == out.read_bytes()
    assert b"\x1b" not in piped.stdout
    assert [line.split(b'"')[1] for line in piped.stdout.splitlines()[1:3]] == [b"files", b"sha256"]

    run = cli.run("history", "export", number, "--out", out)
    assert run.returncode == 1
    assert b"is there already" in run.stderr
    whole = cli.folder / "all.json"
    run = cli.run("history", "export", "--all", "--out", whole)  # the ending says the format
    assert (run.returncode, run.stdout.decode()) == (0, f"{whole}\n")
    assert whole.read_bytes() == out.read_bytes()
    run = cli.run("history", "export", number, "--format", "md", "--out", out, "--force")
    assert run.returncode == 0
    assert out.read_text().startswith("# Birds\n")
    assert (cli.folder / "out-media" / "01-red.png").is_file()
    run = cli.run("history", "export", "--all", "--format", "html", "--out", cli.folder / "pages")
    assert run.returncode == 0
    assert [path.name for path in (cli.folder / "pages").iterdir()] == [f"Birds-{number}.html"]


def day(seconds: float) -> list[str]:
    from datetime import datetime

    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M").split()


async def test_delete_and_restore_beside_an_open_database(cli: CommandLine) -> None:
    cli.database.parent.mkdir(parents=True, mode=0o700)
    database = await Database.open(cli.database)
    try:
        store = ConversationStore(database)
        first = await store.create("First")
        await store.create("Second \x1b[2J")
        assert cli.run("history", "delete", str(first.id)).returncode == 2  # nobody to be asked
        assert [c.title for c in await store.list()] == ["Second \x1b[2J", "First"]
        run = cli.run("history", "delete", str(first.id), "--yes")
        assert f"history restore {first.id}" in run.stdout.decode()
        assert [c.title for c in await store.list()] == ["Second \x1b[2J"]
        assert cli.run("history", "show", str(first.id)).returncode == 2
        assert "␛[2J" in cli.run("history", "list").stdout.decode()
        assert cli.run("history", "restore", str(first.id)).returncode == 0
        assert [c.title for c in await store.list()] == ["Second \x1b[2J", "First"]
        await store.archive(first.id)
        assert b"First" in cli.run("history", "list", "--archived").stdout
    finally:
        await database.close()


def test_delete_asks(cli: CommandLine) -> None:
    (cli.folder / "fine.json").write_bytes(own(json.dumps(CONVERSATION)))
    cli.run("history", "import", "fine.json")
    for answer, count in (("n", 2), ("", 2), ("y", 1)):
        child = pexpect.spawn(
            sys.executable,
            cli.command("history", "delete", "1")[1:],
            env=cli.environment,
            cwd=str(cli.folder),
        )
        child.expect_exact("Delete conversation 1, “Fine”? [y/N] ".encode())
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        assert len(cli.run("history", "list").stdout.splitlines()) == count


def test_a_file_that_cannot_be_imported_is_1_and_changes_nothing(cli: CommandLine) -> None:
    file = cli.folder / "package.json"
    file.write_text('{"name": "x\\u001b"}')
    run = cli.run("history", "import", file)
    assert (run.returncode, run.stdout) == (1, b"")
    assert run.stderr.decode() == (
        "gemma-tui: “package.json” is no export of gemma-tui, ChatGPT or oterm. Choose another file.\n"
    )
    assert cli.run("history", "list").stdout == b""


def test_an_empty_list_says_so_beside_the_output(cli: CommandLine) -> None:
    run = cli.run("history", "list")
    assert (run.returncode, run.stdout) == (0, b"")
    assert run.stderr.decode() == "There are no conversations yet.\n"
    run = cli.run("history", "list", "--archived")
    assert (run.returncode, run.stdout) == (0, b"")
    assert b"no archived conversations" in run.stderr


def test_what_is_left_out_is_told_on_stderr(cli: CommandLine) -> None:
    node = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["Hi"]}}
    good = {"title": "T", "mapping": {"a": {"message": node}}}
    file = cli.folder / "conversations.json"
    file.write_text(json.dumps([good, *({"title": "E\x1b", "mapping": {}} for _ in range(22))]))
    run = cli.run("history", "import", file, "--json")
    assert run.returncode == 0
    assert json.loads(run.stdout)["left_out"] == 22
    lines = run.stderr.decode().splitlines()
    assert lines[0] == "gemma-tui: Conversation 2 (“E␛”) was left out: it has no messages."
    assert lines[20:] == ["gemma-tui: 2 more were left out."]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["export", "--out", "x"], "Name one conversation"),
        (["export", "1", "--all", "--out", "x"], "Name one conversation"),
        (["export", "1", "--out", "x"], "There is no conversation 1"),
        (["export", "1"], "--out"),
        (["export", "1", "--format", "pdf", "--out", "x"], "pdf"),
        (["export", "--all", "--out", "all.md"], "“all.md” is one file"),
        (["export", "--all", "--out", "-"], "Markdown has its media beside it"),
        (["export", "--all", "--format", "html", "--out", "-"], "Several pages"),
        (["show", "7"], "There is no conversation 7"),
        (["delete", "7", "--yes"], "There is no conversation 7"),
        (["restore", "7"], "There is no deleted conversation 7"),
    ],
)
def test_wrong_use_is_2(cli: CommandLine, arguments: list[str], sentence: str) -> None:
    run = cli.run("history", *arguments)
    assert run.returncode == 2
    assert sentence in run.stderr.decode()
    assert run.stdout == b""
