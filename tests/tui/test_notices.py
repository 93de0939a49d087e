"""Everything that is told can be read in full, on the smallest screen too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import UsageError
from gemma_tui.tui.notices import MAX_NOTICES, NoticeLog
from gemma_tui.tui.screens.notices import NoticeScreen
from gemma_tui.tui.widgets.short_text import MORE

if TYPE_CHECKING:
    from tests.tui.conftest import Opener, Running

WORDS = [f"word{number:03}" for number in range(120)]
LONG = " ".join(WORDS)


async def read_all(running: Running) -> str:
    """Everything on the page of notices, screen by screen."""
    assert isinstance(running.app.screen, NoticeScreen)
    page, read = running.app.screen.query_one("#page"), ""
    while True:
        read += running.text()
        if page.scroll_offset.y >= page.max_scroll_y:
            return read
        page.scroll_to(y=page.scroll_offset.y + page.size.height, animate=False)
        await running.pilot.pause()


@pytest.mark.parametrize("size", [(60, 18), (60, 12), (200, 60)], ids=str)
async def test_a_long_problem_is_cut_says_so_and_can_be_read(
    open_app: Opener, size: tuple[int, int]
) -> None:
    async with open_app(size=size) as running:
        running.app.chat_screen.report(UsageError(LONG))
        await running.shown("word000")
        is_cut = "word119" not in running.text()
        assert is_cut is (size != (200, 60))
        assert (MORE in running.text()) is is_cut
        await running.pilot.press("f7")
        await running.until(lambda: isinstance(running.app.screen, NoticeScreen))
        await running.shown("On the screen")
        read = await read_all(running)
        assert [word for word in WORDS if word not in read] == []
        await running.pilot.press("f7")
        await running.until(lambda: running.app.screen is running.app.chat_screen)


async def test_what_is_gone_can_be_read_again(open_app: Opener) -> None:
    async with open_app(size=(60, 18)) as running:
        running.app.chat_screen.report(UsageError("It was so.", "Do this."))
        await running.shown("Do this.")
        running.app.notify("evil \x1b]0;x\x07 [bold]file[/]", markup=False)
        await running.pilot.press("escape")
        await running.until(lambda: not running.problem)
        await running.send("/notices")
        await running.until(lambda: isinstance(running.app.screen, NoticeScreen))
        read = await read_all(running)
        assert "On the screen" not in read
        assert read.index("evil ␛]0;x␇ [bold]file[/]") < read.index("It was so. Do this.")


async def test_with_nothing_told_it_says_so(open_app: Opener) -> None:
    async with open_app(size=(60, 18)) as running:
        await running.pilot.press("f7")
        await running.shown("Nothing was told since the start.")


async def test_a_long_sentence_in_a_dialogue_can_be_read(open_app: Opener) -> None:
    async with open_app(size=(60, 18)) as running:
        await running.pilot.press("f2")
        await running.shown("Thinking")
        await running.pilot.press(*"models folder", "enter", "enter")
        await running.pilot.press(*"/nowhere", "enter")
        await running.shown("There is no folder")
        running.app.screen.query_one("#editor").value = f"/{'-'.join(WORDS)}"  # type: ignore[attr-defined]
        await running.pilot.press("enter")
        await running.shown(MORE)
        await running.pilot.press("f7")
        await running.until(lambda: isinstance(running.app.screen, NoticeScreen))
        assert "Type its whole path." in await read_all(running)
        await running.pilot.press("escape")
        await running.shown(MORE)


def test_the_same_twice_counts_once_and_not_everything_is_kept() -> None:
    log = NoticeLog()
    for number in range(MAX_NOTICES + 5):
        log.add(f"{number}")
        log.add(f"{number}")
    assert [notice.sentence for notice in log.latest] == [
        f"{number}" for number in range(MAX_NOTICES + 4, 4, -1)
    ]
