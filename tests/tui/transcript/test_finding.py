"""Looking for something in a conversation."""

from __future__ import annotations

import pytest

from gemma_tui.conversation import Message, ThoughtPart
from gemma_tui.tui.transcript.matching import Query
from gemma_tui.tui.transcript.rows import Row
from tests.tui.transcript.drawing import draw, message
from tests.tui.transcript.test_widget import TranscriptApp, rows

TALK = [
    *(message(n, "user" if n % 2 else "model", f"filling number {n}") for n in range(1, 30)),
    message(30, "model", ThoughtPart("a hidden **needle** here"), "and a Needle\n\nhay"),
    *(message(n, "user" if n % 2 else "model", f"filling number {n}") for n in range(31, 60)),
    message(60, "model", "the last ne**ed**le"),
]


def highlighted(app: TranscriptApp) -> list[tuple[str, bool]]:
    """What is marked on the screen, and whether as the present hit."""
    found = []
    document, transcript = app.transcript._document, app.transcript
    for line in document.lines(round(transcript.scroll_y), transcript.size.height):
        found += [(line.row.text[start:stop], now) for start, stop, now in line.hits]
    return found


async def test_goes_from_hit_to_hit_and_unfolds_what_hides_one() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = app.transcript
        transcript.show(TALK)
        transcript.scroll_to(y=0, animate=False)
        await pilot.pause()
        assert transcript.find("needle") is not None
        assert (transcript.finder.number, transcript.finder.total) == (1, 3)
        assert highlighted(app) == [("needle", True), ("Needle", False)]
        assert any("▾ Thought, 4 words" in row for row in rows(app))
        transcript.find_next(1)
        assert highlighted(app) == [("needle", False), ("Needle", True)]
        transcript.find_next(1)
        assert highlighted(app) == [("needle", True)]
        assert "the last needle" in rows(app)[-1]
        transcript.find_next(1)
        assert transcript.finder.number == 1
        transcript.find_next(-1)
        assert transcript.finder.number == 3
        transcript.end_find()
        assert highlighted(app) == []
        assert "the last needle" in rows(app)[-1]


async def test_a_mark_is_painted_in_its_colour() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)):
        app.transcript.show([message(1, "model", "one needle, two needles")])
        app.transcript.find("needle")
        hits = [s for s in app.transcript.render_line(2) if s.text == "needle"]
        plain = next(s for s in app.transcript.render_line(2) if "one" in s.text)
        backgrounds = [s.style.bgcolor for s in (*hits, plain) if s.style]
        assert len(set(backgrounds)) == 3


async def test_another_conversation_ends_the_search() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)):
        app.transcript.show(TALK)
        app.transcript.find("needle")
        app.transcript.show([message(70, "model", "a needle elsewhere")])
        assert highlighted(app) == []
        assert not app.transcript.finder.is_active
        assert app.transcript.find_next(1) is None


async def test_what_is_not_there_is_not_found() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)):
        transcript = app.transcript
        transcript.show(TALK)
        before = rows(app)
        assert transcript.find("nowhere") is None
        assert (transcript.finder.number, transcript.finder.total) == (0, 0)
        assert transcript.find_next(1) is None
        assert rows(app) == before
        transcript.show(())
        assert transcript.find("needle") is None


async def test_markup_that_only_the_source_has_is_no_hit() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)):
        app.transcript.show(
            [message(1, "model", "some **bold** word"), message(2, "user", "x ** y")]
        )
        hit = app.transcript.find("**")
        assert hit is not None
        assert hit.place.entry == 1
        assert app.transcript.finder.total == 1


async def test_show_match_goes_to_a_hit_in_one_message() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)):
        transcript = app.transcript
        transcript.show(TALK)
        assert transcript.show_match(30, "needle")
        assert highlighted(app)[0] == ("needle", True)
        assert not transcript.show_match(12, "needle")
        assert any("filling number 12" in row for row in rows(app))
        assert not transcript.show_match(999, "needle")


async def test_the_present_hit_stays_marked_at_another_width() -> None:
    app = TranscriptApp()
    talk: list[Message] = [message(1, "model", "some words before the needle " * 8)]
    async with app.run_test(size=(60, 30)) as pilot:
        app.transcript.show(talk)
        app.transcript.find("needle some")
        app.transcript.find_next(1)
        for width in (33, 21, 80):
            await pilot.resize_terminal(width, 30)
            await pilot.pause()
            current = "".join(text for text, now in highlighted(app) if now)
            assert current.replace(" ", "") == "needlesome"


@pytest.mark.parametrize("width", [12, 17, 40, 200])
@pytest.mark.parametrize("words", ["quick brown", "QUICK  brown fox", "漢字 and", "über-long"])
def test_a_hit_goes_over_the_end_of_a_row(width: int, words: str) -> None:
    found = Query(words).matches(draw("> the *quick* brown fox, 漢字 and über-long words", width))
    assert len(found) == 1


def test_decoration_is_not_searched() -> None:
    assert Query("▎").matches([Row((("▎ ", "quote"), ("text", "")), lead=2)]) == ()
    assert Query("").matches([Row((("text", ""),))]) == ()
    assert Query("  ").count_in_source("a  b") == 0
