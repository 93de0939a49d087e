"""Documents on the screen: their chips, their pages, and what is said about those left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from gemma_tui.conversation import Segment, TextPart
from gemma_tui.generation import MediaInfo, MediaProgress
from gemma_tui.selection import page_label
from tests.scripted_engine import Hold, ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running


def pages(count: int) -> MediaInfo:
    """A document of letter pages, as the engine describes it."""
    found = (
        Segment("image", n, width=1224, height=1584, label=page_label(n, count))
        for n in range(count)
    )
    return MediaInfo(
        "image", "application/pdf", 1224, 1584, suggested_budget=1120, segments=tuple(found)
    )


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.7")
    return path


def engine_with(count: int, context: int = 131_072) -> ScriptedEngine:
    model = replace(ScriptedEngine().model, context_length=context, is_demo=False)
    engine = ScriptedEngine(model=model)
    engine.media["report.pdf"] = pages(count)
    return engine


def chosen(running: Running) -> list[int]:
    return [segment.start + 1 for segment in running.tray.attachments[0].segments]


async def test_one_chip_stands_for_all_pages(open_app: Opener, report: Path) -> None:
    async with open_app(engine_with(12), size=(140, 30)) as running:
        await running.drop(report)
        words = "▤ report.pdf · 8 B · 1,120 a page at most · 12 pages · 13,224 tokens ×"
        await running.shown(words)
        await running.send("what does it say?")
        await running.shown("Hello there.")
        assert "▤ report.pdf · 12 pages · 13,224 tokens" in running.text()
        media = running.engine.requests[0].media
        assert [item.start for item in media] == list(range(12))
        question = (await running.branch())[0]
        assert len(question.attachments[0].segments) == 12


async def test_pages_that_do_not_fit_are_named(open_app: Opener, report: Path) -> None:
    async with open_app(engine_with(300, 32_768), size=(120, 30)) as running:
        await running.drop(report)
        await running.shown("pages 1-22 of 300 · 24,244 tokens")
        await running.shown("has 300 pages: the first 22 are attached")


async def test_a_range_is_chosen_by_command_and_by_key(open_app: Opener, report: Path) -> None:
    async with open_app(engine_with(12), size=(100, 30)) as running:
        await running.drop(report)
        await running.send("/range 2-3, 11-")
        await running.shown("pages 2-3, 11-12 of 12")
        assert chosen(running) == [2, 3, 11, 12]
        running.tray.focus()
        await running.pilot.press("r")
        await running.shown("Which of the 12 pages of “report.pdf” are sent?")
        running.app.screen.query_one(Input).value = "5"
        await running.pilot.press("enter")
        await running.shown("page 5 of 12")
        assert chosen(running) == [5]


async def test_a_range_that_is_not_there_says_so(open_app: Opener, report: Path) -> None:
    async with open_app(engine_with(12)) as running:
        await running.drop(report)
        await running.send("/range 40")
        await running.until(lambda: running.problem)
        assert "There is no page 40: the file has 12 pages." in running.problem
        assert running.composer.text == "/range 40"
        assert chosen(running) == list(range(1, 13))


async def test_what_has_no_parts_says_so(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.send("/range 1")
        await running.until(lambda: "Nothing is attached" in running.problem)
        running.composer.take("")
        await running.drop(picture)
        running.tray.focus()
        await running.pilot.press("r")
        await running.until(lambda: "has no parts to choose from" in running.problem)


async def test_a_budget_is_that_of_every_page(open_app: Opener, report: Path) -> None:
    async with open_app(engine_with(12), size=(100, 30)) as running:
        await running.drop(report)
        await running.send("/budget 280")
        await running.shown("280 a page at most · 12 pages · 3,192 tokens")


@pytest.mark.parametrize("width", [60, 80, 200])
async def test_the_cost_is_what_stays_on_a_narrow_screen(
    open_app: Opener, report: Path, width: int
) -> None:
    async with open_app(engine_with(12), size=(width, 24)) as running:
        await running.drop(report)
        await running.shown("12 pages · 13,224 tokens ×")


async def test_a_table_says_its_rows_and_others_are_chosen(
    open_app: Opener, tmp_path: Path
) -> None:
    table = tmp_path / "data.csv"
    table.write_text("id,name\n" + "".join(f"{n},x\n" for n in range(40)), "utf-8")
    engine = ScriptedEngine()
    engine.media["data.csv"] = MediaInfo("text", "text/plain")
    async with open_app(engine, size=(120, 30)) as running:
        await running.drop(table)
        await running.shown("≡ data.csv · 198 B · 40 rows, 2 columns separated by commas")
        running.tray.focus()
        await running.pilot.press("r")
        await running.shown("Now: 40 rows, 2 columns separated by commas.")
        running.app.screen.query_one(Input).value = "2, 40"
        await running.pilot.press("enter")
        await running.shown("rows 2, 40 of 40")
        await running.send("why?")
        await running.shown("Hello there.")
        (part,) = running.engine.requests[0].messages[0].parts
        assert isinstance(part, TextPart)
        assert "```csv\nid,name\n…\n1,x\n…\n39,x\n```" in part.text
        assert "≡ data.csv · rows 2, 40 of 40" in running.text()


async def test_what_was_chosen_of_a_text_is_what_enter_opens(
    open_app: Opener, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("one\ntwo\nthree\n", "utf-8")
    async with open_app() as running:
        await running.drop(notes)
        await running.send("/lines 2-")
        await running.shown("lines 2-3 of 3")
        running.tray.focus()
        await running.pilot.press("enter")
        await running.until(lambda: running.composer.text == "two\nthree")


async def test_it_is_said_which_page_is_being_read(open_app: Opener, report: Path) -> None:
    early, late = Hold(), Hold()
    engine = engine_with(12)
    engine.scripts.clear()
    engine.scripts.append([MediaProgress(0, 12), early, MediaProgress(11, 12), late, "Read."])
    async with open_app(engine, size=(60, 18)) as running:
        await running.drop(report)
        await running.send("what does it say?")
        await running.until(lambda: "reading page 1 of 12" in running.status, "the first page")
        early.release()
        await running.until(lambda: "reading page 12 of 12" in running.status, "the last page")
        late.release()
        await running.shown("Read.")
