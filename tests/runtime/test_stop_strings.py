"""Stop strings are found wherever tokens cut them, and never shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.runtime.stop_strings import StopStrings

LETTERS = st.text("ab\n", max_size=30)
STOPS = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3)


def shown(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    watch = StopStrings(stops)
    text = "".join(watch.add(piece) for piece in pieces)
    return text + watch.finish(), watch.is_found


def plainly(stops: list[str], text: str) -> tuple[str, bool]:
    """The text before the stop string that is complete first; of two at once, the longer one."""
    for end in range(1, len(text) + 1):
        places = [end - len(s) for s in stops if text[:end].endswith(s)]
        if places:
            return text[: min(places)], True
    return text, False


@given(stops=STOPS, text=LETTERS)
def test_letter_by_letter_is_the_definition(stops: list[str], text: str) -> None:
    assert shown(stops, list(text)) == plainly(stops, text)


@given(stop=st.text("ab\n", min_size=1, max_size=4), text=LETTERS, data=st.data())
def test_pieces_may_be_of_any_size(stop: str, text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert shown([stop], pieces) == (text.partition(stop)[0], stop in text)


@given(stops=STOPS, text=LETTERS, data=st.data())
def test_a_break_in_between_changes_nothing(
    stops: list[str], text: str, data: st.DataObject
) -> None:
    expected, found = plainly(stops, text)
    place = data.draw(st.integers(0, len(expected)))
    watch = StopStrings(stops)
    rest = watch.resume(text[:place])
    rest += "".join(watch.add(letter) for letter in text[place:])
    assert (rest + watch.finish(), watch.is_found) == (expected, found)


def test_what_cannot_become_a_stop_string_is_shown_at_once() -> None:
    watch = StopStrings(["END"])
    assert [watch.add(piece) for piece in ("a E", "N", "x", "EN")] == ["a ", "", "ENx", ""]
    assert watch.finish() == "EN"
    assert (watch.add("END more"), watch.add("and more"), watch.is_found) == ("", "", True)


def test_a_stop_string_that_was_shown_before_the_break_ends_nothing() -> None:
    watch = StopStrings(["b"])
    assert watch.resume("abc") == "abc"
    assert not watch.is_found
