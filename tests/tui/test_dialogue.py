"""Dialogues go away once, however often they are told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from tests.tui.conftest import Opener


async def test_a_second_enter_leaves_the_chat_alone(open_app: Opener) -> None:
    async with open_app() as running:
        field = await running.typed_path()
        field.value = "/there/is/no.png"
        for _ in range(2):  # the second before anything came of the first
            running.app.post_message(events.Key("enter", "\r"))
        await running.until(lambda: "There is no file" in running.problem)
        assert running.app.screen is running.app.chat_screen
        await running.type("still here")
        await running.shown("still here")
