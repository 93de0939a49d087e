"""Budgets that are chosen, parts that are cut out, a closer look."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import DamagedFileError
from gemma_tui.generation import MediaInfo
from gemma_tui.tui.widgets.chip_text import describe
from tests.scripted_engine import MODEL, ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running


AUTO = {"GEMMA_TUI_TOKEN_BUDGET": "auto"}


def budgets(running: Running) -> list[int]:
    return [item.token_budget for item in running.tray.attachments]


async def test_a_new_picture_gets_the_budget_that_suits_it(
    open_app: Opener, picture: Path, sound: Path
) -> None:
    async with open_app(environ=AUTO) as running:
        await running.drop(picture, sound)
        await running.shown("640x480 · auto: some text · 540 of 560 tokens")
        assert budgets(running) == [560, 0]
        assert running.text().count("auto:") == 1


async def test_the_context_that_is_left_limits_it(open_app: Opener, picture: Path) -> None:
    engine = ScriptedEngine(model=replace(MODEL, context_length=1000))
    async with open_app(engine, environ=AUTO) as running:
        await running.drop(picture)
        await running.shown("auto: little context left · 130 of 140 tokens")
        assert budgets(running) == [140]


async def test_auto_by_command_and_back(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.drop(picture)
        await running.send("/budget auto")
        await running.shown("auto: some text")
        assert budgets(running) == [560]
        assert len(running.engine.probed) == 1  # what was found when it came is remembered
        await running.send("/budget 70")
        await running.until(lambda: budgets(running) == [70])
        assert "auto" not in running.text()
        running.tray.focus()
        await running.pilot.press("-")
        await running.shown("auto: some text")


async def test_a_choice_made_meanwhile_stands(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.drop(picture)
        tray = running.tray
        tray.set_budget("auto")
        tray.set_budget(1120)
        tray.show_auto(tray.attachments[0].sha256, 560, "some text")
        assert budgets(running) == [1120]
        assert "auto" not in running.text()


async def test_a_picture_of_an_earlier_day_is_looked_at_again(
    open_app: Opener, picture: Path
) -> None:
    async with open_app() as running:
        await running.drop(picture)
        running.app.chat_screen.workspace.open(None)
        kept = running.tray.attachments
    engine = ScriptedEngine()
    async with open_app(engine) as running:
        await running.until(lambda: running.chips() == ["red circle.png"])
        assert running.tray.attachments == kept
        engine.media[picture.name] = DamagedFileError("“red circle.png” is gone.")
        await running.send("/budget auto")
        await running.until(lambda: "is gone" in running.problem)
        del engine.media[picture.name]
        await running.send("/budget auto")
        await running.shown("auto: some text")


async def test_digits_attach_fields_of_the_picture(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.drop(picture)
        name = "field 5 of red circle.png"
        running.engine.media[name] = MediaInfo("image", "image/png", width=100, height=50)
        running.tray.focus()
        await running.pilot.press("5")
        await running.until(lambda: len(running.chips()) == 2)
        assert running.chips() == ["red circle.png", name]
        whole, part = running.tray.attachments
        assert (part.width, part.height, part.token_budget) == (100, 50, whole.token_budget)
        assert whole.sha256 != part.sha256
        (asked,) = running.engine.cropped
        assert asked.region == pytest.approx((1 / 3, 1 / 3, 1 / 3, 1 / 3))
        await running.send("what is in the middle?")
        await running.shown("Hello there.")
        assert len(running.engine.requests[0].media) == 2


async def test_a_part_by_command(open_app: Opener, picture: Path, sound: Path) -> None:
    async with open_app() as running:
        await running.drop(picture)
        await running.send("/crop 10%,20%,50%,50%")
        await running.until(lambda: len(running.chips()) == 2)
        assert running.chips()[1] == "10% 20% 50% 50% of red circle.png"
        await running.send("/crop 60%,0%,50%,50%")
        await running.until(lambda: "not inside the picture" in running.problem)
        assert running.composer.text == "/crop 60%,0%,50%,50%"
        running.composer.clear()
        running.tray.load(())
        await running.drop(sound)
        await running.send("/crop 5")
        await running.until(lambda: "No picture is attached" in running.problem)


async def test_looking_closer_asks_the_same_in_a_branch(
    open_app: Opener, picture: Path, sound: Path
) -> None:
    async with open_app() as running:
        await running.drop(picture, sound)
        await running.send("what does it say?")
        await running.shown("Hello there.")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.send("/closer")
        await running.until(lambda: len(running.engine.requests) == 2)
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        first, second = running.engine.requests
        assert [m.token_budget for m in first.media] == [280, 0]
        assert [m.token_budget for m in second.media] == [560, 0]
        assert [m.sha256 for m in first.media] == [m.sha256 for m in second.media]
        question, _ = await running.branch()
        assert (question.text, question.parent_id) == ("what does it say?", None)
        await running.shown("2/2")


async def test_looking_closer_at_a_message_until_there_is_no_more(
    open_app: Opener, picture: Path
) -> None:
    async with open_app() as running:
        await running.drop(picture)
        await running.send("/budget 560")
        await running.send("what does it say?")
        await running.shown("Hello there.")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.pilot.press("alt+up")  # the reply: its question is meant
        await running.pilot.press("z")
        await running.until(lambda: len(running.engine.requests) == 2)
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert running.engine.requests[1].media[0].token_budget == 1120
        await running.send("/closer")
        await running.until(lambda: "1120 tokens, already" in running.problem)
        assert len(running.engine.requests) == 2


async def test_there_must_be_a_picture_to_look_closer_at(open_app: Opener) -> None:
    async with open_app() as running:
        await running.send("hello")
        await running.shown("Hello there.")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.send("/closer")
        await running.until(lambda: "no picture in this question" in running.problem)
        assert len(running.engine.requests) == 1


async def test_a_narrow_chip_keeps_its_cost(open_app: Opener, picture: Path) -> None:
    async with open_app() as running:
        await running.drop(picture)
        chip = describe(running.tray.attachments[0], "some text")
    assert chip.fit(100)[1] == " · 7 kB · 640x480 · auto: some text · 266 of 280 tokens"
    assert chip.fit(60)[1] == " · auto: some text · 266 of 280 tokens"
    assert chip.fit(40)[1] == " · 266 of 280 tokens"
