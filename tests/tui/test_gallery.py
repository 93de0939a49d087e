"""The gallery: what is shown of attachments, and what is done with them."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input, OptionList

from gemma_tui.errors import AttachmentError
from gemma_tui.preprocessing import formats
from gemma_tui.tui.screens.gallery import GalleryScreen
from gemma_tui.tui.screens.path import PathScreen
from gemma_tui.tui.system_viewer import SUFFIXES, SystemViewer, viewer_command
from tests.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from gemma_tui.paths import Paths
    from tests.tui.conftest import Opener, Running


NASTY = "a\x1b]52;c;Zm9v\x07\x9b31m[@click=app.quit]x[/]\u202ereverse\u200b [/b] 日本語 e\u0301"
"""Acts on a terminal, on markup, and on the direction of what is read, if anything lets it."""


CONTENT = b"picture" * 1000
"""Of the fixture `picture`."""


async def ask(running: Running, text: str, *paths: Path) -> None:
    await running.drop(*paths)
    await running.send(text)
    desk = running.app.chat_screen.desk
    await running.until(lambda: desk.turn is None and not running.tray.attachments, "the answer")


async def open_gallery(running: Running) -> GalleryScreen:
    await running.pilot.press("alt+a")
    await running.until(lambda: isinstance(running.app.screen, GalleryScreen), "the gallery")
    screen = running.app.screen
    assert isinstance(screen, GalleryScreen)
    return screen


@pytest.fixture
def viewer(tmp_path: Path) -> SystemViewer:
    """Writes down what it is asked to open, and what that file holds."""
    script = tmp_path / "viewer"
    script.write_text(
        f'#!/bin/sh\nprintf "%s" "$1" > {tmp_path}/shown\ncat "$1" > {tmp_path}/content\n'
        f"[ ! -e {tmp_path}/refuse ]\n"
    )
    script.chmod(0o700)
    return SystemViewer([str(script)])


async def test_everything_that_was_attached_is_listed_with_its_cost_and_its_question(
    open_app: Opener, picture: Path, sound: Path
) -> None:
    async with open_app() as running:
        await ask(running, "What is this?", picture)
        await ask(running, "And what do I say?", sound)
        screen = await open_gallery(running)
        await running.shown("And what do I say?")  # the newest is chosen
        text = running.text()
        assert "2 attachments" in text
        assert "red circle.png · 266 tokens" in text
        assert "memo.wav · 25 tokens" in text
        assert "1.0 s · 25 tokens · read in under 1 s" in text
        await running.shown("█")  # its levels
        await running.pilot.press("up")
        await running.shown("640x480 · 7 kB")
        await running.shown("▀")
        assert "266 of 280 tokens · read in ~2 s" in running.text()  # 12 tokens took 0.1 s
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is not screen, "the chat")


async def test_a_conversation_without_attachments_says_so(open_app: Opener) -> None:
    async with open_app() as running:
        await running.pilot.press("alt+a")
        await running.until(
            lambda: "No message of this conversation has an attachment" in running.problem
        )


async def test_enter_goes_to_the_message_also_in_another_branch(
    open_app: Opener, picture: Path, sound: Path
) -> None:
    async with open_app() as running:
        await ask(running, "first", picture)
        await running.pilot.press("up")  # edit it: what follows is another branch
        await running.until(lambda: running.chips() == ["red circle.png"], "the question")
        running.tray.focus()
        await running.pilot.press("delete")
        await ask(running, "second", sound)
        assert "red circle.png" not in running.text()
        screen = await open_gallery(running)
        screen.query_one(OptionList).highlighted = 0
        await running.pilot.press("enter")
        await running.shown("▣ red circle.png")
        transcript = running.app.chat_screen._page.transcript
        await running.until(lambda: transcript.has_focus and transcript.chosen, "the cursor")
        assert transcript.chosen is not None
        assert transcript.chosen.text == "first"


async def test_an_attachment_is_used_again_with_its_budget(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.drop(picture)
        await running.send("/budget 70")
        await running.until(lambda: running.tray.attachments[0].token_budget == 70, "the budget")
        await running.send("What is this?")
        desk = running.app.chat_screen.desk
        await running.until(lambda: desk.turn is None and not running.tray.attachments, "an answer")
        await open_gallery(running)
        await running.pilot.press("a")
        await running.shown("is attached to your next message")
        await running.pilot.press("escape")
        assert [item.token_budget for item in running.tray.attachments] == [70]
        await running.send("And again?")
        await running.until(lambda: len(running.engine.requests) == 2, "the question")
        first, second = (request.media[-1] for request in running.engine.requests)
        assert first == second


async def test_a_copy_is_saved_for_its_owner_only_and_replaces_nothing(
    open_app: Opener, picture: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy.png"
    async with open_app() as running:
        await ask(running, "What is this?", picture)
        await open_gallery(running)
        await running.pilot.press("s")
        await running.until(lambda: isinstance(running.app.screen, PathScreen), "the dialogue")
        field = running.app.screen.query_one(Input)
        assert field.value.endswith("red circle.png")
        field.value = str(target)
        await running.pilot.press("enter")
        await running.shown("Written to")
        assert target.read_bytes() == CONTENT
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        target.write_text("mine")
        await running.pilot.press("s")
        await running.until(lambda: isinstance(running.app.screen, PathScreen), "the dialogue")
        running.app.screen.query_one(Input).value = str(target)
        await running.pilot.press("enter")
        await running.shown("Choose another name.")
        assert target.read_text() == "mine"


async def test_a_folder_takes_the_copy_under_its_own_name(
    open_app: Opener, picture: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    async with open_app() as running:
        await ask(running, "What is this?", picture)
        gallery = running.app.chat_screen.gallery
        (use,) = await running.store.media_uses(1)
        assert await gallery.save(use, f"{folder}/") == folder / "red circle.png"


async def test_nothing_is_opened_outside_before_a_yes(
    open_app: Opener, picture: Path, viewer: SystemViewer, tmp_path: Path
) -> None:
    async with open_app() as running:
        running.app.chat_screen.gallery._viewer = viewer
        await ask(running, "What is this?", picture)
        screen = await open_gallery(running)
        await running.pilot.press("y")  # nothing was asked
        await running.pilot.press("o")
        await running.shown("Open a copy of “red circle.png” outside, with viewer?")
        await running.pilot.press("escape")
        await running.shown("Nothing was opened")
        assert running.app.screen is screen
        assert not (tmp_path / "shown").exists()
        await running.pilot.press("o", "y")
        await running.shown("was opened with viewer")
        shown = (tmp_path / "shown").read_text()
        assert shown.endswith("/red circle.png")
        assert (tmp_path / "content").read_bytes() == CONTENT
        assert Path(shown).parent.stat().st_mode & 0o077 == 0
        (tmp_path / "refuse").touch()
        await running.pilot.press("o", "y")
        await running.shown("was not opened: viewer ended with 1")


async def test_what_is_gone_is_said_where_it_was(
    open_app: Opener, picture: Path, paths: Paths
) -> None:
    async with open_app() as running:
        await ask(running, "What is this?", picture)
        (use,) = await running.store.media_uses(1)
        sha256 = use.attachment.sha256
        (paths.blobs / sha256[:2] / sha256[2:]).unlink()
        await open_gallery(running)
        await running.pilot.press("a")
        await running.shown("is missing from the data folder")
        assert not running.tray.attachments


@pytest.mark.parametrize("size", [(60, 18), (100, 30), (200, 60)])
async def test_foreign_names_and_texts_fit_and_do_nothing(
    open_app: Opener, tmp_path: Path, size: tuple[int, int]
) -> None:
    name = "".join(c for c in NASTY if c not in "/\0")[:60]
    path = tmp_path / f"{name}.md"
    path.write_text(f"{NASTY}\n" * 100)
    engine = ScriptedEngine()
    async with open_app(engine, size=size) as running:
        attaching = running.app.chat_screen._attaching
        await attaching.attach([path])
        await running.send(NASTY.replace("\n", " "))
        desk = running.app.chat_screen.desk
        await running.until(lambda: desk.turn is None and not running.tray.attachments, "an answer")
        await open_gallery(running)
        await running.shown("1 attachment")
        await running.shown("costs what its text costs")
        assert "\x1b" not in running.text()
        assert "Esc" in running.text()


def test_a_viewer_is_looked_for_only_where_there_is_a_screen(tmp_path: Path) -> None:
    tool = tmp_path / "xdg-open"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o700)
    place = {"PATH": str(tmp_path)}
    assert viewer_command("linux", place) == ()
    assert viewer_command("linux", place | {"DISPLAY": ":0"}) == (str(tool),)
    assert viewer_command("linux", place | {"WAYLAND_DISPLAY": "wayland-0"}) == (str(tool),)
    assert viewer_command("linux", {"PATH": "", "DISPLAY": ":0"}) == ()
    assert viewer_command("darwin", place | {"SSH_CONNECTION": "1"}) == ()


@pytest.mark.parametrize("media_type", ["application/x-sh", "text/html", ""])
async def test_only_known_kinds_are_opened_whatever_the_name_says(
    media_type: str, viewer: SystemViewer, tmp_path: Path
) -> None:
    with pytest.raises(AttachmentError, match="not opened outside"):
        await viewer.show(tmp_path / "viewer", "picture.png", media_type)
    source = tmp_path / "blob"
    source.write_bytes(b"#!/bin/sh\n")
    await viewer.show(source, "-rf ../../run me.command", "image/png")
    shown = (tmp_path / "shown").read_text()
    assert shown.startswith("/")
    assert shown.endswith(".png")
    assert not os.access(shown, os.X_OK)


def test_every_kind_that_is_read_can_be_opened() -> None:
    """But a bare JPEG 2000 code stream, for which no viewer is known."""
    values = (getattr(found, "media_type", "image/j2c") for _, found in formats._SIGNATURES)
    assert set(values) - {"image/j2c"} <= set(SUFFIXES)
