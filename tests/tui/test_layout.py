"""The layout from the smallest to the widest terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.events import MouseScrollUp
from textual.widget import Widget

from gemma_tui.tui.transcript.widget import Transcript
from gemma_tui.tui.widgets.reading_column import ReadingColumn
from tests.scripted_engine import ScriptedEngine
from tests.tui.scenes import SCENES, Scene

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running


def outside(running: Running) -> list[str]:
    """Widgets of the top screen that are shown and stick out of it, where nothing scrolls them."""
    screen = running.app.screen
    found = []
    for widget in screen.query("*").results(Widget):
        above = [node for node in widget.ancestors if isinstance(node, Widget)]
        is_shown = widget.display and widget.visible and widget.styles.overlay != "screen"
        if not is_shown or any(node.allow_vertical_scroll for node in above if node is not screen):
            continue
        if widget.region.area and not screen.region.contains_region(widget.region):
            found.append(f"{widget} at {widget.region}")
    return found


@pytest.mark.parametrize("size", [(60, 18), (300, 90)], ids=str)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_nothing_sticks_out(
    open_app: Opener, tmp_path: Path, scene: Scene, size: tuple[int, int]
) -> None:
    async with open_app(scene.engine(), size=size, microphone=scene.microphone()) as running:
        await scene.show(running, tmp_path)
        assert outside(running) == []
        lines = running.text().splitlines()
        assert len(lines) == size[1]


async def test_a_wide_terminal_has_lines_that_can_be_read(open_app: Opener) -> None:
    async with open_app(size=(300, 40)) as running:
        transcript = running.app.screen.query_one(Transcript)
        column = running.app.screen.query_one(ReadingColumn)
        assert transcript.region.width <= 112
        assert running.composer.region.width <= 112
        left = transcript.region.x - column.region.x
        right = column.region.right - transcript.region.right
        assert abs(left - right) <= 1 < left


async def test_the_wheel_scrolls_beside_the_text(open_app: Opener) -> None:
    words = "\n\n".join(str(number) for number in range(100))
    async with open_app(ScriptedEngine([words]), size=(200, 30)) as running:
        await running.send("count")
        await running.shown("99")
        await running.until(lambda: "ready" in running.status)
        transcript = running.app.screen.query_one(Transcript)
        column = running.app.screen.query_one(ReadingColumn)
        before = transcript.scroll_y
        beside = column.region.x + 1, column.region.y + 2
        assert running.app.screen.get_widget_at(*beside)[0] is column
        running.app.screen._forward_event(
            MouseScrollUp(None, *beside, 0, 0, 0, False, False, False, *beside)
        )
        await running.until(lambda: transcript.scroll_y < before)
