"""Conversations out to files and in again, from the chat screen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from gemma_tui.tui.screens.path import PathScreen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running


async def asked(running: Running) -> None:
    await running.send("hello there")
    await running.until(lambda: running.app.chat_screen.desk.turn is None, "the end")
    await running.until(lambda: running.app.chat_screen._page.last is not None, "a reply")


async def dialogue(running: Running) -> Input:
    await running.until(lambda: isinstance(running.app.screen, PathScreen), "the dialogue")
    return running.app.screen.query_one(Input)


@pytest.mark.parametrize(
    ("ending", "holds"), [("md", "# hello there"), ("html", "<html"), ("json", "{")]
)
async def test_the_ending_says_the_format(
    open_app: Opener, tmp_path: Path, ending: str, holds: str
) -> None:
    target = tmp_path / f"out.{ending}"
    async with open_app() as running:
        await asked(running)
        await running.send(f"/export {target}")
        await running.shown("Written to")
    assert holds in target.read_text("utf-8")
    assert "hello there" in target.read_text("utf-8")


async def test_without_a_path_one_is_asked_for_and_suggested(
    open_app: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "hello there.md").write_text("of somebody else")
    async with open_app() as running:
        await asked(running)
        await running.send("/export")
        assert (await dialogue(running)).value == str(tmp_path / "hello there 2.md")
        await running.pilot.press("enter")
        await running.shown("Written to")
    assert (tmp_path / "hello there.md").read_text() == "of somebody else"
    assert "hello there" in (tmp_path / "hello there 2.md").read_text("utf-8")


async def test_nothing_is_replaced_and_the_path_is_offered_again(
    open_app: Opener, tmp_path: Path
) -> None:
    target = tmp_path / "taken.md"
    target.write_text("mine")
    async with open_app() as running:
        await asked(running)
        await running.send(f"/export {target}")
        await running.until(lambda: "is there already" in running.problem)
        running.composer.clear()
        await running.send("/export")
        assert (await dialogue(running)).value == str(target)
    assert target.read_text() == "mine"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("notes.docx", "does not say which format"), ("nowhere/at/all.md", "cannot be written")],
)
async def test_what_cannot_be_written_is_a_sentence(
    open_app: Opener, tmp_path: Path, path: str, sentence: str
) -> None:
    async with open_app() as running:
        await asked(running)
        await running.send(f"/export {tmp_path / path}")
        await running.until(lambda: sentence in running.problem, sentence)
        assert running.composer.text.startswith("/export")
    assert not (tmp_path / path).exists()


async def test_the_command_itself_is_no_draft_of_what_is_exported(
    open_app: Opener, tmp_path: Path
) -> None:
    target = tmp_path / "out.json"
    async with open_app() as running:
        await asked(running)
        running.composer.text = f"/export {target}"
        kept = running.app.chat_screen._drafts
        await running.until(lambda: 1 in kept.kept and not kept.is_dirty, "the draft")
        await running.pilot.press("enter")
        await running.shown("Written to")
    assert "/export" not in target.read_text()


async def test_what_was_exported_is_imported_and_listed(open_app: Opener, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    async with open_app() as running:
        await asked(running)
        await running.send(f"/export {target}")
        await running.shown("Written to")
        await running.send(f"/import {target}")
        await running.shown("Imported 0 conversations from")
        assert "here already" in running.problem
        await running.store.delete(1)
        await running.send(f"/import {target}")
        await running.shown("Imported 1 conversation from")
        assert [item.title for item in await running.store.list()] == ["hello there"]
        assert len(await running.branch(2)) == 2


async def test_what_cannot_be_imported_changes_nothing(open_app: Opener, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.json"
    damaged.write_text(json.dumps({"format": "gemma-tui", "version": 999}))
    async with open_app() as running:
        await running.send("/import")
        (await dialogue(running)).value = str(damaged)
        await running.pilot.press("enter")
        await running.until(lambda: running.problem, "a sentence")
        assert await running.store.list() == ()
