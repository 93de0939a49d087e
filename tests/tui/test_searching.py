"""Search over everything, and going to what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input, OptionList, Static

from gemma_tui.conversation import TextPart
from gemma_tui.errors import StorageError
from gemma_tui.tui.screens.search import SearchScreen
from tests.tui.test_tabs import shown_id

if TYPE_CHECKING:
    from tests.tui.conftest import Opener, Running


async def tell(running: Running, title: str, *texts: str) -> list[int]:
    """A conversation with these messages, questions and answers by turns."""
    item = await running.store.create(title)
    parent, ids = None, []
    for index, text in enumerate(texts):
        role = "model" if index % 2 else "user"
        parent = (await running.store.add_message(item.id, parent, role, [TextPart(text)])).id  # type: ignore[arg-type]
        ids.append(parent)
    return ids


async def search(running: Running, text: str) -> SearchScreen:
    await running.pilot.press("f3")
    await running.until(lambda: isinstance(running.app.screen, SearchScreen), "the search")
    screen = running.app.screen
    assert isinstance(screen, SearchScreen)
    screen.query_one(Input).value = text
    await running.until(lambda: screen.text == text, "the hits")
    return screen


def told(screen: SearchScreen) -> str:
    return str(screen.query_one("#told", Static).visual)


async def test_hits_come_as_one_types_the_newest_first(open_app: Opener) -> None:
    async with open_app() as running:
        await tell(running, "Garden", "When do figs ripen?", "Figs ripen late in summer.")
        await tell(running, "Kitchen", "A fig tart, please.", "Take six figs and butter.")
        screen = await search(running, "fig")
        await running.until(lambda: "4 hits" in told(screen))
        rows = [row for row in running.text().splitlines() if "Kitchen" in row or "Garden" in row]
        assert [row.split()[1] for row in rows] == ["Kitchen", "Kitchen", "Garden", "Garden"]
        await running.shown("Take six figs and butter.")


async def test_a_key_at_a_time_is_enough(open_app: Opener) -> None:
    async with open_app() as running:
        await tell(running, "Garden", "When do figs ripen?", "Late.")
        await running.pilot.press("f3", *"figs")
        await running.shown("1 hit ")
        await running.pilot.press("backspace", *"zz")
        await running.shown("Nothing found")


async def test_enter_goes_to_the_message_and_marks_it(open_app: Opener) -> None:
    async with open_app() as running:
        filler = [f"talk number {n}" for n in range(60)]
        filler[10] = "here is the needle"
        await tell(running, "Long", *filler)
        await tell(running, "Other", "nothing", "here")
        await search(running, "needle")
        await running.pilot.press("enter")
        await running.shown("here is the needle")
        assert shown_id(running) == 1
        transcript = running.app.chat_screen.workspace._page.transcript
        assert transcript.finder.message_id == 11
        assert not transcript.is_following


async def test_a_hit_in_another_branch_shows_that_branch(open_app: Opener) -> None:
    async with open_app() as running:
        first, second, *_ = await tell(running, "Forked", "question", "the hidden answer")
        await running.store.add_message(1, first, "model", [TextPart("the shown answer")])
        running.conversations.post_message(running.conversations.Opened(1))
        await running.shown("the shown answer")
        await search(running, "hidden")
        await running.pilot.press("enter")
        await running.shown("the hidden answer")
        assert (await running.branch())[-1].id == second


async def test_a_title_opens_its_conversation(open_app: Opener) -> None:
    async with open_app() as running:
        await tell(running, "Zebras at dusk", "hello", "hi")
        await tell(running, "Other", "hello", "hi")
        await search(running, "zebra")
        await running.shown("Title")
        await running.pilot.press("enter")
        await running.until(lambda: shown_id(running) == 1)


async def test_the_archived_are_found_and_marked(open_app: Opener) -> None:
    async with open_app() as running:
        await tell(running, "Old", "where is the walrus?", "There.")
        await running.store.archive(1)
        screen = await search(running, "walrus")
        await running.until(lambda: "1 archived" in told(screen))
        await running.pilot.press("enter")
        await running.until(lambda: shown_id(running) == 1)
        await running.until(lambda: "Old" in running.text().splitlines()[0])


async def test_more_hits_come_as_one_goes_down(open_app: Opener) -> None:
    async with open_app() as running:
        await tell(running, "Many", *(f"marble number {n}" for n in range(120)))
        screen = await search(running, "marble")
        await running.until(lambda: "50+ hits" in told(screen))
        found = screen.query_one(OptionList)
        for count in (100, 120):
            for _ in range(5):
                await running.pilot.press("pagedown")
            await running.until(lambda c=count: found.option_count >= c)  # type: ignore[misc]
        await running.until(lambda: "120 hits" in told(screen))


@pytest.mark.parametrize(
    "query", ['"', "-", "*", '" OR 1=1 --', "NEAR(", "\x1b[31m", "(((", "é" * 500]
)
async def test_nothing_that_is_typed_is_wrong(open_app: Opener, query: str) -> None:
    async with open_app() as running:
        await tell(running, "One", "hello", "hi")
        screen = await search(running, query)
        await running.until(lambda: "hit" in told(screen) or "words" in told(screen))
        await running.pilot.press("enter")
        assert running.app.screen is screen or shown_id(running) == 1


async def test_an_empty_search_says_what_can_be_typed(open_app: Opener) -> None:
    async with open_app() as running:
        await running.pilot.press("f3")
        await running.shown("a phrase")
        await running.pilot.press("escape")
        await running.until(lambda: running.app.screen is running.app.chat_screen)
        assert running.composer.has_focus


async def test_the_command_begins_with_what_it_was_given(open_app: Opener) -> None:
    async with open_app() as running:
        await tell(running, "One", "the otter", "hi")
        await running.send("/search otter")
        await running.until(lambda: isinstance(running.app.screen, SearchScreen))
        await running.shown("1 hit ")


async def test_a_store_that_cannot_be_read_is_told(
    open_app: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise StorageError("The disk has gone.", "Plug it in.")

    async with open_app() as running:
        monkeypatch.setattr(running.store, "search", broken)
        await running.pilot.press("f3", *"x")
        await running.shown("The disk has gone.")


async def test_hostile_hits_do_not_act_and_marks_stay_in_place(open_app: Opener) -> None:
    async with open_app() as running:
        await tell(running, "[b]\x1b]0;t\x07", "\x1b[2J\u202e [red]lizard[/] \x9b", "hi")
        screen = await search(running, "lizard")
        await running.until(lambda: "hit" in told(screen))
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(running.text())
        option = screen.query_one(OptionList).get_option_at_index(0)
        spans = [option.prompt.plain[s.start : s.end] for s in option.prompt.spans]  # type: ignore[union-attr]
        assert "lizard" in spans
