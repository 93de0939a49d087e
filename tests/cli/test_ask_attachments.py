"""Folders and locked documents on the command line, as users run it."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.preprocessing import documents
from tests.preprocessing.locked_documents import locked
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from tests.cli.conftest import CommandLine

PASSWORD = "open sesame"
SHORT = ("--json", "--max-tokens", "1")


def attachments(run: CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert run.returncode == 0, run.stderr.decode()
    found: list[dict[str, Any]] = json.loads(run.stdout)["attachments"]
    return found


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    pytest.importorskip("pypdfium2", reason="the extra gemma-tui[pdf] is not installed")
    path = tmp_path / "letter.pdf"
    path.write_bytes(locked([documents.words("one")], PASSWORD, "owner"))
    return path


def test_a_folder_is_its_pictures_and_it_is_said_how_many(
    cli: CommandLine, tmp_path: Path, red_picture: Path
) -> None:
    folder = tmp_path / "holiday"
    folder.mkdir()
    for name in ("10.png", "9.png"):
        (folder / name).write_bytes(red_picture.read_bytes())
    (folder / "notes.txt").write_text("not a picture")
    run = cli.run("ask", "What are these?", "-a", folder, *SHORT)
    assert [item["name"] for item in attachments(run)] == ["9.png", "10.png"]
    assert "Attaching 2 pictures from the folder “holiday”: " in run.stderr.decode()
    empty = tmp_path / "empty"
    empty.mkdir()
    refused = cli.run("ask", "What are these?", "-a", empty)
    assert refused.returncode == 1
    assert "“empty” is a folder without pictures." in refused.stderr.decode()
    assert not refused.stdout


def test_a_script_gives_the_password_in_the_environment(
    cli: CommandLine, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("ask", "What does it say?", "-a", letter, *SHORT)
    refused = cli.run(*asked)
    assert refused.returncode == 1
    assert "“letter.pdf” is locked with a password." in refused.stderr.decode()
    assert "GEMMA_TUI_PDF_PASSWORD" in refused.stderr.decode()
    monkeypatch.setenv("GEMMA_TUI_PDF_PASSWORD", "wrong")
    wrong = cli.run(*asked)
    assert wrong.returncode == 1
    assert "GEMMA_TUI_PDF_PASSWORD does not open “letter.pdf”" in wrong.stderr.decode()
    monkeypatch.setenv("GEMMA_TUI_PDF_PASSWORD", PASSWORD)
    (attached,) = attachments(cli.run(*asked))
    assert attached["pages"] == [1]
    logs = [path.read_bytes() for path in cli.home.rglob("*") if path.is_file()]
    assert not any(PASSWORD.encode() in log for log in logs)


@pytest.mark.parametrize("form", ["ask", "plain"])
def test_at_a_terminal_it_is_typed_unseen(cli: CommandLine, letter: Path, form: str) -> None:
    command = cli.command("ask", "What does it say?", "-a", letter, *SHORT)
    if form == "plain":
        command = cli.command("--plain")
    environ = {"PYTHONPATH": cli.environment["PYTHONPATH"]}
    terminal = Terminal(command, home=cli.home, size=(100, 40), environ=environ)
    with closing(terminal):
        if form == "plain":
            terminal.shows("is ready")
            terminal.type(f"/attach {letter}\r")
        terminal.shows("Password of “letter.pdf”")
        terminal.type("wrong\r")
        terminal.shows("does not open it")
        terminal.type(f"{PASSWORD}\r")
        terminal.shows("Attached the document" if form == "plain" else '"pages": [1]')
        assert PASSWORD not in terminal.text
        assert PASSWORD.encode() not in terminal.written
        assert "wrong" not in terminal.text


def test_plain_mode_attaches_the_pictures_of_a_folder(
    cli: CommandLine, tmp_path: Path, red_picture: Path
) -> None:
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / "a.png").write_bytes(red_picture.read_bytes())
    run = cli.run("--plain", pipe=f"{folder} {tmp_path / 'no' / 'such.png'}\n/attach\n".encode())
    assert "Attaching 1 picture from the folder “holiday”" in run.stderr.decode()
    assert "“such.png” is not there any more." in run.stderr.decode()
    assert "Attached is the picture “a.png”" in run.stdout.decode()
    assert run.returncode == 1
