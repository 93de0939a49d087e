"""The dialogue for the password of a locked document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from gemma_tui.errors import LockedDocumentError
from gemma_tui.generation import MediaInfo
from gemma_tui.tui.screens.password import PasswordScreen
from tests.scripted_engine import ScriptedEngine
from tests.tui.test_documents import pages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running

NAME = "re[b]port.pdf"


def locking_engine() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.media[NAME] = LockedDocumentError(f"“{NAME}” is locked with a password.", "Again.")
    engine.locks[NAME, "secret"] = pages(3)
    return engine


async def dropped(running: Running, folder: Path) -> Input:
    path = folder / NAME
    path.write_bytes(b"%PDF-1.7 locked")
    await running.paste(str(path))
    await running.until(lambda: isinstance(running.app.screen, PasswordScreen), "the dialogue")
    return running.app.screen.query_one(Input)


async def test_it_is_asked_for_unseen_until_it_opens(open_app: Opener, tmp_path: Path) -> None:
    async with open_app(locking_engine()) as running:
        field = await dropped(running, tmp_path)
        await running.shown(f"“{NAME}” is locked.")
        field.value = "wrong"
        await running.pilot.press("enter")
        await running.shown("That password does not open it.")
        await running.pilot.press(*"secret")
        assert "secret" not in running.text()
        assert "••••••" in running.text()
        await running.pilot.press("enter")
        await running.until(lambda: running.tray.attachments, "the chip")
        await running.shown("3 pages")
        assert [item.password for item in running.engine.unlocked] == ["wrong", "secret"]
        assert "secret" not in repr(running.engine.unlocked)
        assert not running.problem


async def test_put_away_it_attaches_nothing_and_says_so(open_app: Opener, tmp_path: Path) -> None:
    async with open_app(locking_engine(), size=(60, 18)) as running:
        await dropped(running, tmp_path)
        await running.pilot.press("enter")  # an empty one is none
        assert isinstance(running.app.screen, PasswordScreen)
        await running.pilot.press("escape")
        await running.shown("is locked with a password")
        assert running.tray.attachments == ()
        assert running.tray.pending == ()
        assert running.engine.unlocked == []


async def test_what_is_dropped_with_it_is_attached(open_app: Opener, tmp_path: Path) -> None:
    engine = locking_engine()
    engine.media["b.png"] = MediaInfo("image", "image/png", 64, 64)
    (tmp_path / NAME).write_bytes(b"%PDF-1.7 locked")
    (tmp_path / "b.png").write_bytes(b"picture")
    async with open_app(engine) as running:
        await running.paste(f"{tmp_path / NAME} {tmp_path / 'b.png'}")
        await running.until(lambda: isinstance(running.app.screen, PasswordScreen), "the dialogue")
        await running.pilot.press("escape")
        await running.until(lambda: running.chips() == ["b.png"], "the other")
