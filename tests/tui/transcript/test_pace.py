"""How often streamed text is drawn."""

from __future__ import annotations

from gemma_tui.tui.transcript.pace import COST_FACTOR, LONGEST, SHORTEST, Pace


def test_the_first_text_is_drawn_at_once() -> None:
    assert Pace().wait(0.0) <= 0


def test_a_batch_of_the_engine_is_never_put_off_by_a_cheap_one_before_it() -> None:
    pace = Pace()
    for batch in range(30):
        begin = batch / 30
        assert pace.wait(begin) <= 0, "30 batches come a second"
        pace.flushed(begin, begin + 0.002)


def test_text_that_comes_sooner_waits_for_the_rest_of_a_frame() -> None:
    pace = Pace()
    pace.flushed(1.0, 1.001)
    assert abs(pace.wait(1.01) - (SHORTEST - 0.01)) < 1e-9


def test_what_is_expensive_is_drawn_seldom() -> None:
    pace = Pace()
    pace.flushed(1.0, 1.02)
    assert abs(pace.wait(1.02) - (COST_FACTOR - 1) * 0.02) < 1e-9


def test_the_text_never_seems_to_stand_still() -> None:
    pace = Pace()
    pace.flushed(1.0, 3.0)
    assert pace.wait(1.0) == LONGEST
