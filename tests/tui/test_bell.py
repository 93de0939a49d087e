"""When the bell rings."""

from __future__ import annotations

import pytest

from gemma_tui.tui.bell import LONG_SECONDS, AnswerBell
from gemma_tui.tui.turn import Turn


@pytest.mark.parametrize(
    ("seconds", "is_stopped", "rings"),
    [(LONG_SECONDS, False, 1), (LONG_SECONDS - 1, False, 0), (LONG_SECONDS, True, 0)],
)
def test_only_a_long_answer_that_ends_by_itself_rings(
    seconds: float, is_stopped: bool, rings: int
) -> None:
    now = [100.0]
    rung: list[float] = []
    bell = AnswerBell(lambda: rung.append(now[0]), lambda: now[0])
    turn = Turn(1, None, None)
    bell.note(None)
    bell.note(turn)
    now[0] += seconds
    bell.note(turn)
    assert not rung
    turn.is_stopping = is_stopped
    bell.note(None)
    bell.note(None)
    assert len(rung) == rings
