"""What comes too quickly, too late, or for another page than the one that is shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import MessageState
from gemma_tui.errors import StorageError
from gemma_tui.tui.widgets.tab_line import TabLine
from tests.scripted_engine import Hold, ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running


async def converse(running: Running, text: str) -> None:
    await running.send(text)
    await running.until(lambda: running.app.chat_screen.desk.turn is None, "the end")
    await running.until(lambda: running.app.chat_screen._page.last is not None, "a reply")


async def test_two_undos_at_once_bring_back_two_conversations(open_app: Opener) -> None:
    async with open_app() as running:
        desk = running.app.chat_screen.desk
        for text in ("one", "two"):
            await converse(running, text)
            await running.pilot.press("ctrl+n")
            await running.until(lambda: running.app.chat_screen._page.conversation is None)
        for number in (1, 2):
            await desk.delete(number)
        filing, app = running.app.chat_screen.workspace.filing, running.app
        await asyncio.gather(filing.undo_delete(app), filing.undo_delete(app))
        assert {item.title for item in await running.store.list()} == {"one", "two"}


async def test_what_cannot_be_read_beside_a_reply_does_not_stop_it(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["First", hold, " and last."])) as running:

        async def fails(*_: object) -> None:
            raise StorageError("The disk is gone.", "")

        monkeypatch.setattr(running.store, "siblings", fails)
        await running.send("go on")
        await running.shown("First")
        monkeypatch.undo()
        hold.release()
        await running.until(lambda: running.app.chat_screen.desk.turn is None, "the end")
        reply = (await running.branch())[-1]
        assert (reply.state, reply.text) == (MessageState.COMPLETE, "First and last.")


async def test_a_second_click_closes_no_other_tab(open_app: Opener) -> None:
    async with open_app() as running:
        await converse(running, "one")
        running.app.chat_screen.workspace.action_new_tab()
        line = running.app.chat_screen.workspace.tab_line
        await running.until(lambda: len(line.labels) == 2, "two tabs")
        for _ in range(2):
            line.post_message(TabLine.CloseRequested(1))
        await running.until(lambda: len(line.labels) == 1, "one tab")
        await running.pilot.pause()
        assert running.app.is_running


async def test_archiving_asks_how_things_are_now(open_app: Opener) -> None:
    async with open_app() as running:
        await converse(running, "one")
        await running.store.archive(1)
        running.app.chat_screen.workspace.open(1)
        page = running.app.chat_screen._page
        await running.until(lambda: page.conversation and page.conversation.is_archived)
        await converse(running, "and more")  # which brings it back into the list
        await running.send("/archive")
        await running.shown("is archived")
        assert (await running.store.get(1)).is_archived


async def test_long_tags_are_edited_whole(open_app: Opener) -> None:
    tags = tuple(f"a tag of some length {number}" for number in range(20))
    async with open_app() as running:
        await converse(running, "one")
        await running.store.set_tags(1, tags)
        await running.app.chat_screen.desk.refresh_list()
        await running.send("/tags")
        edit = running.app.chat_screen.workspace.sidebar.edit_line
        await running.until(lambda: edit.has_focus, "the line")
        await running.pilot.press("enter")
        await running.until(lambda: not edit.has_focus, "the end of it")
        assert set((await running.store.get(1)).tags) == set(tags)


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x.md", "a" * 300 + ".md"])
async def test_paths_that_lead_nowhere_are_sentences(
    open_app: Opener, tmp_path: Path, path: str
) -> None:
    async with open_app() as running:
        await converse(running, "one")
        await running.send(f"/export {path if path[0] == '~' else tmp_path / path}")
        await running.until(lambda: "cannot be written" in running.problem, "a sentence")


async def test_a_text_that_waits_for_a_disk_stays_in_its_conversation(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(_text: str) -> tuple[Path, ...]:
        asked.set()
        await answered.wait()
        return ()

    monkeypatch.setattr("gemma_tui.tui.attaching.find_files", slow)
    async with open_app() as running:
        await converse(running, "one")
        await running.send("/mnt/there/picture.png why?")
        await running.until(asked.is_set, "the disk")
        await running.pilot.press("ctrl+n")
        await running.until(lambda: running.app.chat_screen._page.conversation is None)
        answered.set()
        await running.pilot.pause()
        running.app.chat_screen.workspace.open(1)
        await running.until(lambda: "why?" in running.composer.text, "the words")
        assert len(await running.branch()) == 2
        assert len(await running.store.list()) == 1
