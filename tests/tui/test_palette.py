"""The palette runs what is chosen once, however often Enter is pressed before it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.command import CommandPalette

if TYPE_CHECKING:
    from tests.tui.conftest import Opener


@pytest.mark.parametrize("last", ["enter", "escape"])
async def test_a_key_too_many_leaves_the_chat_alone(open_app: Opener, last: str) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+p", *"thinking")
        await running.shown("/think")
        await running.pilot.press("down")
        for key in ("enter", last, last):  # as one burst, before anything came of the first
            running.app.post_message(events.Key(key, None))
        await running.until(lambda: running.app.screen is running.app.chat_screen)
        if last == "enter":
            await running.shown("thinking on")  # switched once: twice would be off again
        await running.type("still here")
        await running.shown("still here")
        assert last == "escape" or "thinking on" in running.status


async def test_a_second_ctrl_p_opens_no_second_palette(open_app: Opener) -> None:
    async with open_app() as running:
        await running.pilot.press("ctrl+p", "ctrl+p")
        assert [isinstance(s, CommandPalette) for s in running.app.screen_stack].count(True) == 1
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.app.chat_screen)
