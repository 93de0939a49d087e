"""What can be done with conversations in the list."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Conversation, TextPart
from gemma_tui.tui.screens.conversation_menu import ConversationMenu
from gemma_tui.tui.widgets.conversation_rows import Entry, Heading, day_of, rows_of
from tests.scripted_engine import Hold, ScriptedEngine

if TYPE_CHECKING:
    from tests.tui.conftest import Opener, Running

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
DAY = 86400.0


def conversation(
    number: int,
    title: str,
    *,
    days_ago: float = 0,
    pinned: bool = False,
    tags: tuple[str, ...] = (),
) -> Conversation:
    moment = NOON - days_ago * DAY
    return Conversation(number, title, moment, moment, is_pinned=pinned, tags=tags)


def shown(*conversations: Conversation, wanted: str = "") -> list[str]:
    rows = rows_of(conversations, marks={}, now=NOON, wanted=wanted)
    return [row.text if isinstance(row, Heading) else f"- {row.title}" for row in rows]


async def fill(running: Running, *titles: str) -> None:
    """Conversations with a question and an answer each, the last one the newest."""
    for title in titles:
        item = await running.store.create(title)
        asked = await running.store.add_message(item.id, None, "user", [TextPart(f"about {title}")])
        await running.store.add_message(item.id, asked.id, "model", [TextPart(f"answer: {title}")])
    await running.app.chat_screen.desk.refresh_list()
    running.conversations.focus()
    await running.pilot.pause()


def choose(running: Running, title: str) -> None:
    ids = {item.title: item.id for item in running.conversations._conversations}
    assert running.conversations.choose(ids[title])


def test_groups_are_days_then_months_and_the_pinned_stand_first() -> None:
    assert shown(
        conversation(1, "old but dear", days_ago=90, pinned=True),
        conversation(2, "now"),
        conversation(3, "before", days_ago=1),
        conversation(4, "this week", days_ago=4),
        conversation(5, "weeks ago", days_ago=12),
        conversation(6, "autumn", days_ago=40),
        conversation(7, "last year", days_ago=400),
    ) == [
        "Pinned",
        "- old but dear",
        "Today",
        "- now",
        "Yesterday",
        "- before",
        "Last seven days",
        "- this week",
        "November 2026",
        "- weeks ago",
        "October 2026",
        "- autumn",
        "October 2025",
        "- last year",
    ]


def test_a_moment_in_the_future_is_today() -> None:
    assert day_of(NOON + 3 * DAY, date(2026, 11, 25)) == "Today"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", ["soup", "Über Brot", "code"]),
        ("SOUP", ["soup"]),
        ("über", ["Über Brot"]),
        ("brot kitchen", ["Über Brot"]),
        ("kitchen", ["soup", "Über Brot"]),
        ("#kit", ["soup", "Über Brot"]),
        ("#brot", []),
        ("soup -", []),
    ],
)
def test_the_filter_looks_at_titles_and_tags(wanted: str, found: list[str]) -> None:
    rows = rows_of(
        (
            conversation(1, "soup", tags=("kitchen",)),
            conversation(2, "Über Brot", tags=("Kitchen", "home")),
            conversation(3, "code", tags=("work",)),
        ),
        marks={},
        now=NOON,
        wanted=wanted,
    )
    assert [row.title for row in rows if isinstance(row, Entry)] == found


async def test_rename_in_place(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one", "two")
        choose(running, "one")
        await running.pilot.press("r")
        await running.until(lambda: running.app.focused is not running.conversations)
        await running.pilot.press("home", "ctrl+k", *"Mine!", "enter")
        await running.shown("Mine!")
        kept = await running.store.get(1)
        assert (kept.title, kept.title_origin) == ("Mine!", "user")
        assert running.conversations.has_focus


async def test_esc_leaves_a_title_as_it_was(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one")
        await running.pilot.press("r", *"xyz", "escape")
        await running.until(lambda: running.conversations.has_focus)
        assert (await running.store.get(1)).title == "one"
        assert "xyz" not in running.text()


async def test_tags_are_written_with_commas(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one")
        await running.pilot.press("t", *"#work, Home,,work", "enter")
        await running.shown("#Home #work")
        assert (await running.store.get(1)).tags == ("Home", "work")


async def test_pin_and_unpin(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "older", "newer")
        choose(running, "older")
        await running.pilot.press("p")
        await running.shown("Pinned")
        assert running.conversations.chosen is not None
        assert running.conversations.chosen.title == "older"  # the keys stay where they were
        await running.pilot.press("p")
        await running.until(lambda: "Pinned" not in running.text())


async def test_archived_conversations_are_listed_on_demand(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "kept", "put away")
        choose(running, "put away")
        await running.pilot.press("a")
        await running.shown("“put away” is archived")
        await running.until(lambda: running.conversations.row_count == 2)
        await running.pilot.press("A")
        await running.until(lambda: [r.title for r in entries(running)] == ["put away"])
        await running.pilot.press("a")
        await running.shown("Nothing is archived")
        await running.pilot.press("A")
        await running.until(lambda: len(entries(running)) == 2)


def entries(running: Running) -> list[Entry]:
    return [row for row in running.conversations._rows if isinstance(row, Entry)]


async def test_filter_walk_and_open_without_leaving_the_line(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "apple pie", "plum pie", "apple cake")
        await running.pilot.press("slash", *"pie")
        await running.until(lambda: len(entries(running)) == 2)
        await running.pilot.press("down", "enter")
        await running.shown("answer: apple pie")
        running.conversations.focus()
        await running.pilot.press("escape")
        await running.until(lambda: len(entries(running)) == 3)


async def test_a_filter_that_nothing_fits_says_so(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one")
        await running.pilot.press("slash", *"zzz")
        await running.shown("Nothing fits")
        await running.pilot.press("enter", "escape", "escape")
        await running.until(lambda: len(entries(running)) == 1)


async def test_the_menu_offers_what_the_keys_do(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one")
        await running.pilot.press("m")
        await running.until(lambda: isinstance(running.app.screen, ConversationMenu))
        await running.shown("Open in a tab of its own")
        await running.pilot.press("down", "down", "down", "enter")
        await running.shown("Pinned")
        assert (await running.store.get(1)).is_pinned


async def test_a_right_click_opens_the_menu_of_what_is_under_it(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one", "two")
        row = next(i for i, line in enumerate(running.text().splitlines()) if " one" in line[:29])
        await running.pilot.click(offset=(6, row), button=3)
        await running.until(lambda: isinstance(running.app.screen, ConversationMenu))
        assert running.conversations.chosen is not None
        assert running.conversations.chosen.title == "one"


@pytest.mark.parametrize("what", ["rename", "tags"])
async def test_the_palette_edits_the_open_conversation_also_on_a_narrow_screen(
    open_app: Opener, what: str
) -> None:
    async with open_app(size=(60, 18)) as running:
        await running.send("hello")
        await running.until(lambda: running.app.chat_screen.desk.turn is None)
        await running.app.run_action(f"this('{what}')", running.app.chat_screen.workspace)
        line = running.app.chat_screen.workspace.sidebar.edit_line
        await running.until(lambda: line.has_focus)
        await running.pilot.press(*"new", "enter")
        await running.until(lambda: running.conversations.has_focus)
        kept = await running.store.get(1)
        assert kept.tags == ("new",) if what == "tags" else kept.title == "hellonew"


async def test_nothing_can_be_done_to_a_conversation_that_has_not_begun(open_app: Opener) -> None:
    async with open_app() as running:
        await running.app.run_action("this('pin')", running.app.chat_screen.workspace)
        await running.shown("begins with its first message")


async def test_what_is_running_and_what_has_a_draft_is_marked(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["one", hold])) as running:
        await running.send("slow")
        await hold.reached.wait()
        await running.until(lambda: entries(running)[0].mark == "…")
        hold.release()
        await running.until(lambda: entries(running)[0].mark == "▸")


async def test_thousands_of_conversations_are_drawn_no_slower(open_app: Opener) -> None:
    many = tuple(conversation(n, f"number {n}", days_ago=n / 20) for n in range(1, 3001))
    async with open_app() as running:
        running.conversations.show(many, current=None, marks={})
        running.conversations.focus()
        await running.pilot.press("end")
        await running.shown("number 3000")
        await running.pilot.press("home")
        await running.until(lambda: "number 3000" not in running.text())
        calls: list[int] = []
        draw = running.conversations.render_line

        def counted(y: int) -> object:
            calls.append(y)
            return draw(y)

        running.conversations.render_line = counted  # type: ignore[assignment,method-assign]
        running.conversations.refresh()
        await running.pilot.pause()
        assert 0 < len(calls) <= 60  # rows of the screen, not of the list


async def test_hostile_titles_and_tags_do_not_act(open_app: Opener) -> None:
    hostile = "[red]\x1b]0;x\x07\u202e[/]"
    async with open_app() as running:
        await fill(running, hostile)
        await running.store.set_tags(1, [hostile])
        await running.app.chat_screen.desk.refresh_list()
        await running.pilot.press("r")
        await running.shown("␛]0;x␇")
        await running.pilot.press("escape", "m")
        await running.until(lambda: isinstance(running.app.screen, ConversationMenu))
        assert not {"\x1b", "\x07", "\u202e"} & set(running.text())
        # Untouched by only being looked at.
        assert (await running.store.get(1)).title == hostile


async def test_the_archived_have_a_heading_and_an_undo_takes_its_offer_away(
    open_app: Opener,
) -> None:
    async with open_app(size=(120, 30)) as running:
        await running.store.create("")
        await fill(running, "kept")
        choose(running, "")
        await running.pilot.press("a")
        await running.shown("“Untitled” is archived")
        await running.pilot.press("A")
        await running.shown("Archived · A goes back")
        await running.pilot.press("A")
        await running.until(lambda: "Archived · A goes back" not in running.text())
        await running.until(lambda: len(entries(running)) == 1)
        await running.pilot.press("m")
        await running.shown("Filter by title")
        assert "Bring the deleted back" not in running.text()
        await running.pilot.press("escape", "delete")
        await running.shown("Ctrl+Z in the list brings it back")
        await running.pilot.press("u")
        await running.shown("“kept” is back.")
        assert "brings it back" not in running.text()
