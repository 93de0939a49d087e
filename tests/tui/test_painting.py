"""Text that streams has nothing painted but the transcript."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gemma_tui.tui.widgets.composer import Composer
from gemma_tui.tui.widgets.status_line import StatusLine
from tests.scripted_engine import Hold, ScriptedEngine, Step

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.widget import Widget

    from tests.tui.conftest import Opener


async def test_a_batch_of_text_leaves_composer_and_status_as_they_are(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = [Hold() for _ in range(4)]
    painted: list[Widget] = []
    refresh = Composer.refresh

    def noted(self: Widget, *regions: Region, **what: bool) -> Widget:
        if isinstance(self, Composer | StatusLine) and not regions:  # a cursor that blinks has some
            painted.append(self)
        return refresh(self, *regions, **what)

    words: list[Step] = [
        "first ",
        holds[0],
        "second ",
        holds[1],
        "third ",
        holds[2],
        "fourth",
        holds[3],
    ]
    async with open_app(ScriptedEngine(words)) as running:
        await running.send("hello")
        await running.shown("first")
        await running.shown("◆ writing")
        monkeypatch.setattr("textual.widget.Widget.refresh", noted)
        for hold, word in zip(holds, ("second", "third", "fourth"), strict=False):
            hold.release()
            await running.shown(word)
        assert painted == []
        holds[3].release()
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        assert any(isinstance(widget, StatusLine) for widget in painted)  # it does notice


@pytest.mark.parametrize(("given", "ticks"), [({}, 240), ({"TEXTUAL_FPS": "30"}, 30)])
def test_the_clock_of_the_screen_is_finer_than_a_display_unless_told_otherwise(
    given: dict[str, str], ticks: int
) -> None:
    inherited = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    code = (
        "import gemma_tui.tui.app, textual.screen; print(round(1 / textual.screen.UPDATE_PERIOD))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) == ticks
