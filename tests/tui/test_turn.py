"""What a turn knows of its reply while it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Draft
from gemma_tui.frontend import turn as turns
from gemma_tui.frontend.turn import SPEED_SECONDS, Turn
from gemma_tui.generation import TextDelta
from gemma_tui.tui.widgets.status_line import StatusLine
from tests.scripted_engine import Hold, ScriptedEngine

if TYPE_CHECKING:
    from tests.tui.conftest import Opener


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_the_speed_stands_long_enough_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)
    turn = Turn(1, Draft("Hi"), None)
    shown = []
    for batch in range(61):
        turn.note(TextDelta("a b c d ", 4 * batch + 1))
        shown.append(turn.tokens_per_second)
        clock.now += 1 / 30
    assert shown[0] == 0, "one token says nothing about speed"
    changes = [n for n in range(1, 61) if shown[n] != shown[n - 1]]
    assert 3 <= len(changes) <= 2 / SPEED_SECONDS
    assert shown[-1] == pytest.approx(120, rel=0.02)


def test_what_was_written_before_does_not_count_as_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)
    turn = Turn(1, None, None, continued_id=2)
    turn._tokens_before = 1000
    turn.note(TextDelta("a", 1001))
    clock.now += 1
    turn.note(TextDelta("b", 1050))
    assert turn.tokens_per_second == pytest.approx(50)


async def test_esc_is_answered_before_the_engine_has_stopped(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["so far", hold])) as running:
        await running.send("hello")
        await running.shown("so far")
        await hold.reached.wait()
        screen = running.app.chat_screen
        screen.action_stop()
        assert screen.query_one(StatusLine).status.phase == "stopping"
        assert screen.desk.turn is not None
        await running.until(lambda: screen.desk.turn is None)
        assert "ready" in running.status
