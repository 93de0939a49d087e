"""Pasting from the system's clipboard: its tools, what they write, and what becomes of it.

The tools of Wayland and macOS are played by scripts; xclip is also run for real, where it and Xvfb
are installed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.errors import ClipboardError, GemmaError
from gemma_tui.frontend.dropped import file_url_path
from gemma_tui.tui.clipboard_content import (
    ClipboardContent,
    CopiedFiles,
    CopiedPicture,
    CopiedText,
    NothingCopied,
    OtherCopied,
)
from gemma_tui.tui.clipboard_formats import file_paths, parse_mac_answer, plain_kinds
from gemma_tui.tui.system_clipboard import SystemClipboard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.tui.conftest import Opener

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def tool(folder: Path, name: str, script: str) -> dict[str, str]:
    """A program of this name; the environment that has only it."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    (folder / "data").write_bytes(PNG)
    return {"PATH": f"{folder}:{os.defpath}", "DATA": str(folder / "data")}


def wayland(folder: Path, answers: Mapping[str, str]) -> SystemClipboard:
    """wl-paste that offers the kinds in `answers`, each written by a piece of shell."""
    kinds = "".join(f"{kind}\\n" for kind in answers)
    cases = "".join(f"{shlex.quote(kind)}) {run};;" for kind, run in answers.items())
    listing = f"printf '{kinds}'" if answers else "exit 1"
    script = f'if [ "$1" = --list-types ]; then {listing}; else case "$3" in {cases} esac; fi'
    return SystemClipboard("linux", tool(folder, "wl-paste", script) | {"WAYLAND_DISPLAY": "w"})


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, NothingCopied()),
        ({"text/plain;charset=utf-8": "printf ä"}, CopiedText("ä")),
        ({"UTF8_STRING": "printf words", "TARGETS": "", "TIMESTAMP": ""}, CopiedText("words")),
        ({"image/png": 'cat "$DATA"', "text/html": "printf x"}, CopiedPicture(PNG, ".png")),
        ({"image/tiff": 'cat "$DATA"', "image/jpeg": 'cat "$DATA"'}, CopiedPicture(PNG, ".jpg")),
        # cells of a table, which come with a picture of them
        ({"image/png": 'cat "$DATA"', "text/plain": "printf cells"}, CopiedText("cells")),
        (
            {
                "text/uri-list": "printf 'file:///a%%20b.png\\r\\nfile:///c\\r\\n'",
                "text/plain": "x",
            },
            CopiedFiles((Path("/a b.png"), Path("/c"))),
        ),
        (
            {"text/uri-list": "printf 'https://example.org/'", "text/plain": "printf link"},
            CopiedText("link"),
        ),
        ({"application/x-own": "", "TARGETS": ""}, OtherCopied(("application/x-own",))),
    ],
)
async def test_what_is_taken_of_what_is_offered(
    tmp_path: Path, answers: dict[str, str], expected: ClipboardContent
) -> None:
    assert await wayland(tmp_path, answers).read() == expected


@pytest.mark.parametrize(
    ("platform", "environ", "words"),
    [
        ("linux", {}, "There is no desktop here"),
        ("linux", {"WAYLAND_DISPLAY": "w"}, "no wl-paste on this computer. Install it"),
        ("linux", {"DISPLAY": ":0"}, "no xclip on this computer. Install it"),
        ("linux", {"SSH_CONNECTION": "x"}, "You are connected over SSH"),
        ("linux", {"SSH_TTY": "x", "DISPLAY": "localhost:10.0"}, "no xclip on this computer"),
        ("darwin", {"SSH_CONNECTION": "x"}, "You are connected over SSH"),
        ("darwin", {}, "no osascript on this computer"),
    ],
)
async def test_each_lack_has_its_own_words(
    tmp_path: Path, platform: str, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(ClipboardError) as caught:
        await SystemClipboard(platform, {"PATH": str(tmp_path), **environ}).read()
    assert words in str(caught.value)
    assert caught.value.hint


async def test_an_owner_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    environ = tool(tmp_path, "wl-paste", f"echo $$ > {shlex.quote(str(pid))}; exec sleep 1000")
    clipboard = SystemClipboard("linux", environ | {"WAYLAND_DISPLAY": "w"}, timeout_seconds=0.5)
    with pytest.raises(ClipboardError, match=r"did not answer within 0\.5 seconds"):
        await clipboard.read()
    if pid.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


async def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    environ = tool(tmp_path, "wl-paste", "exec cat /dev/zero")
    clipboard = SystemClipboard("linux", environ | {"WAYLAND_DISPLAY": "w"}, max_bytes=3 << 20)
    with pytest.raises(ClipboardError, match="holds more than 3 MB"):
        await clipboard.read()


async def test_a_tool_that_cannot_run_is_named(tmp_path: Path) -> None:
    environ = tool(tmp_path, "xclip", "")
    (tmp_path / "xclip").write_bytes(b"\x7fELF no program")
    with pytest.raises(ClipboardError, match=r"xclip does not run"):
        await SystemClipboard("linux", environ | {"DISPLAY": ":0"}).read()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"files": ["/a b.png"], "text": "a b.png"}, CopiedFiles((Path("/a b.png"),))),
        (
            {"kind": "public.png", "picture": base64.b64encode(PNG).decode()},
            CopiedPicture(PNG, ".png"),
        ),
        ({"text": "words", "kinds": ["public.utf8-plain-text"]}, CopiedText("words")),
        ({"kinds": ["com.example.own"]}, OtherCopied(("com.example.own",))),
        ({}, NothingCopied()),
    ],
)
async def test_a_mac_answers_at_once(
    tmp_path: Path, found: dict[str, Any], expected: ClipboardContent
) -> None:
    whole = {"files": [], "text": "", "kind": "", "picture": "", "kinds": []} | found
    (tmp_path / "answer").write_text(json.dumps(whole), "utf-8")
    # It must be JavaScript that is asked for, as one argument.
    script = f'[ "$2" = JavaScript ] && [ $# = 4 ] && cat {shlex.quote(str(tmp_path / "answer"))}'
    environ = tool(tmp_path, "osascript", script)
    assert await SystemClipboard("darwin", environ).read() == expected


@pytest.mark.parametrize(
    "answer", [b"", b"null", b"[]", b"{}", b'{"files": 1}', b"\xff", b'{"files": [], "text": ""}']
)
def test_a_strange_answer_of_a_mac_is_nothing(answer: bytes) -> None:
    assert parse_mac_answer(answer) == NothingCopied()


def test_lists_of_files() -> None:
    listing = b"copy\nfile:///%C3%A4.png\nfile://localhost/b\n#file:///c\nhttps://d/e\nfile://far/f"
    assert file_paths(listing) == (Path("/ä.png"), Path("/b"))
    assert file_paths(b"\xff\nfile:///a\0") == (Path("/a"),)


def test_kinds_of_a_selection() -> None:
    assert plain_kinds(b"TARGETS\r\nimage/png\n\nMULTIPLE\n") == ("image/png",)


@pytest.mark.parametrize("url", ["file:///a", "file:/a", "FILE:///a", "file://localhost/a"])
def test_urls_of_this_machine(url: str) -> None:
    assert file_url_path(url) == "/a"


def test_the_host_of_a_url_may_be_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Desk.local")
    assert file_url_path("file://desk/a") == file_url_path("file://DESK.lan/a") == "/a"
    assert file_url_path("file://other/a") == ""


@dataclass
class ScriptedClipboard:
    """Holds what a test puts in, and may have to be waited for."""

    content: ClipboardContent | GemmaError = field(default_factory=NothingCopied)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> ClipboardContent:
        await self.may_answer.wait()
        if isinstance(self.content, GemmaError):
            raise self.content
        return self.content


def holding(content: ClipboardContent | GemmaError) -> ScriptedClipboard:
    clipboard = ScriptedClipboard(content)
    clipboard.may_answer.set()
    return clipboard


async def test_a_copied_picture_becomes_a_chip(open_app: Opener) -> None:
    clipboard = holding(CopiedPicture(b"a picture", ".png"))
    async with open_app(clipboard=clipboard) as running:
        await running.pilot.press("ctrl+v")
        await running.until(lambda: running.chips() == ["pasted picture.png"])
        await running.send("/paste")
        await running.until(lambda: len(running.chips()) == 2)
        assert running.composer.text == ""


async def test_copied_files_become_chips(open_app: Opener, picture: Path, sound: Path) -> None:
    async with open_app(clipboard=holding(CopiedFiles((sound, picture)))) as running:
        running.tray.focus()
        await running.pilot.press("ctrl+v")
        await running.until(lambda: running.chips() == ["memo.wav", "red circle.png"])


async def test_copied_text_is_inserted_where_the_cursor_is(open_app: Opener) -> None:
    async with open_app(clipboard=holding(CopiedText("b\x1b[2Jc"))) as running:
        await running.type("ad")
        running.composer.move_cursor((0, 1))
        await running.pilot.press("ctrl+v")
        await running.until(lambda: len(running.composer.text) > 2)
        assert running.composer.text == "ab␛[2Jcd"


async def test_a_path_that_was_copied_as_text_is_a_file(open_app: Opener, picture: Path) -> None:
    async with open_app(clipboard=holding(CopiedText(str(picture)))) as running:
        await running.pilot.press("ctrl+v")
        await running.until(lambda: running.chips() == ["red circle.png"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (NothingCopied(), "Nothing is copied."),
        (OtherCopied(("a/b\x1b", "c", "d", "e")), "nor text (a/b␛, c, d, …)"),
        (ClipboardError("There is no tool.", "Install it."), "There is no tool. Install it."),
    ],
)
async def test_what_cannot_be_pasted_says_why(
    open_app: Opener, content: ClipboardContent | GemmaError, words: str
) -> None:
    async with open_app(clipboard=holding(content)) as running:
        await running.pilot.press("ctrl+v")
        await running.until(lambda: words in running.problem)
        assert running.tray.pending == ()


async def test_without_a_clipboard_what_was_copied_here_is_pasted(open_app: Opener) -> None:
    for clipboard in (None, holding(ClipboardError("There is no tool."))):
        async with open_app(clipboard=clipboard) as running:
            running.app.copy_to_clipboard("mine")
            await running.pilot.press("ctrl+v")
            await running.until(lambda: running.composer.text == "mine")
            running.composer.take("")


async def test_enter_waits_for_what_is_being_pasted(open_app: Opener) -> None:
    clipboard = ScriptedClipboard(CopiedPicture(b"a picture", ".png"))
    async with open_app(clipboard=clipboard) as running:
        await running.type("what is this?")
        await running.pilot.press("ctrl+v", "enter")
        assert running.engine.requests == []
        clipboard.may_answer.set()
        await running.shown("Hello there.")
        (question, _) = await running.branch()
        assert [item.name for item in question.attachments] == ["pasted picture.png"]


async def test_what_comes_after_the_page_was_turned_is_not_typed_elsewhere(
    open_app: Opener,
) -> None:
    clipboard = ScriptedClipboard(CopiedText("words"))
    async with open_app(clipboard=clipboard) as running:
        await running.send("first")
        await running.shown("Hello there.")
        await running.pilot.press("ctrl+v", "ctrl+n")
        clipboard.may_answer.set()
        await running.until(lambda: running.tray.pending == ())
        assert running.composer.text == ""


needs_x11 = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xclip")),
    reason="Xvfb and xclip are not installed (apt-get install xvfb xclip)",
)


@pytest.fixture
def display() -> Iterator[str]:
    """A display of its own, whose number Xvfb chooses."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "64x64x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as line:
        number = line.readline().strip()
    assert number
    yield f":{number}"
    server.terminate()
    server.wait()


def copy(display: str, kind: str, content: bytes) -> None:
    """Let xclip own the selection, in the background, as it does by itself."""
    command = ["xclip", "-display", display, "-selection", "clipboard", "-i", "-t", kind]
    subprocess.run(command, input=content, stdout=subprocess.DEVNULL, check=True)


@needs_x11
async def test_the_clipboard_of_a_real_display(display: str) -> None:
    environ = {**os.environ, "DISPLAY": display}
    environ.pop("WAYLAND_DISPLAY", None)
    clipboard = SystemClipboard("linux", environ)
    assert await clipboard.read() == NothingCopied()
    large = PNG * 20_000  # xclip sends it in pieces
    for kind, content, expected in (
        ("image/png", large, CopiedPicture(large, ".png")),
        ("UTF8_STRING", "zwölf".encode(), CopiedText("zwölf")),
        ("text/uri-list", b"file:///tmp/a%20b\r\n", CopiedFiles((Path("/tmp/a b"),))),
        ("application/x-own", b"?", OtherCopied(("application/x-own",))),
    ):
        await asyncio.to_thread(copy, display, kind, content)
        deadline = time.monotonic() + 60
        # it takes the selection over once it is in the background
        while (found := await clipboard.read()) != expected and time.monotonic() < deadline:
            pass
        assert found == expected
