"""Merging of events that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.conversation import Usage
from gemma_tui.engine.backlog import Backlog
from gemma_tui.generation import (
    Finished,
    LoadProgress,
    PrefillProgress,
    TextDelta,
    ThoughtDelta,
)

if TYPE_CHECKING:
    from gemma_tui.engine.protocol import Event

DELTAS: st.SearchStrategy[Event] = st.one_of(
    st.builds(TextDelta, st.text(max_size=3), st.integers(0, 9)),
    st.builds(ThoughtDelta, st.text(max_size=3)),
    st.builds(PrefillProgress, st.integers(0, 9), st.just(9)),
    st.builds(Finished, st.just("stop"), st.just(Usage())),
)


def filled(*events: tuple[int, Event]) -> Backlog:
    backlog = Backlog()
    for request_id, event in events:
        backlog.push(request_id, event)
    return backlog


def test_neighbouring_text_becomes_one_event_with_the_last_count() -> None:
    backlog = filled((1, TextDelta("a", 1)), (1, TextDelta("b", 2)), (1, TextDelta("c", 4)))
    assert len(backlog) == 1
    assert backlog.take() == [(1, TextDelta("abc", 4))]
    assert backlog.take() == []


def test_thought_and_answer_stay_apart() -> None:
    events: list[tuple[int, Event]] = [
        (1, ThoughtDelta("a")),
        (1, TextDelta("b", 2)),
        (1, ThoughtDelta("c")),
    ]
    assert filled(*events).take() == events


def test_requests_stay_apart() -> None:
    events = [(1, TextDelta("a", 1)), (2, TextDelta("b", 1)), (1, TextDelta("c", 2))]
    assert filled(*events).take() == events


def test_newer_progress_replaces_older() -> None:
    backlog = filled(
        (1, LoadProgress("weights", 0.1)),
        (1, LoadProgress("warming", 0.9)),
        (1, PrefillProgress(1, 3)),
        (1, PrefillProgress(3, 3)),
    )
    assert backlog.take() == [(1, LoadProgress("warming", 0.9)), (1, PrefillProgress(3, 3))]


def test_ends_are_never_merged() -> None:
    end = Finished("stop", Usage())
    assert filled((1, end), (1, end)).take() == [(1, end), (1, end)]


@given(st.lists(st.tuples(st.integers(1, 2), DELTAS), max_size=40))
def test_no_text_is_lost_or_moved_whatever_is_merged(events: list[tuple[int, Event]]) -> None:
    def texts(of: list[tuple[int, Event]], kind: type, request_id: int) -> str:
        return "".join(e.text for i, e in of if isinstance(e, kind) and i == request_id)  # type: ignore[union-attr]

    taken = filled(*events).take()
    for request_id in (1, 2):
        for kind in (TextDelta, ThoughtDelta):
            assert texts(taken, kind, request_id) == texts(events, kind, request_id)
    assert len(taken) <= len(events)
