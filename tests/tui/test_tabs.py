"""Several conversations open at once, and what is open after a restart."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import Draft, TextPart
from gemma_tui.storage.open_tabs import MAX_TABS, OpenTabs, OpenTabsFile
from gemma_tui.tui.tabs import Tabs
from tests.scripted_engine import Hold, ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.tui.widgets.tab_line import TabLine
    from tests.tui.conftest import Opener, Running


def line(running: Running) -> TabLine:
    return running.app.chat_screen.workspace.tab_line


def labels(running: Running) -> list[str]:
    return [f"{label.mark}{label.title}".strip() for label in line(running).labels]


async def fill(running: Running, *titles: str, length: int = 1) -> None:
    for title in titles:
        item = await running.store.create(title)
        asked = await running.store.add_message(item.id, None, "user", [TextPart("question")])
        text = "\n\n".join(f"{title} paragraph {n}" for n in range(length))
        await running.store.add_message(item.id, asked.id, "model", [TextPart(text)])
    await running.app.chat_screen.desk.refresh_list()


async def open_all(running: Running, *numbers: int) -> None:
    """Open conversations in tabs of their own, one after the other."""
    for number in numbers:
        wanted = running.conversations.Opened(number, in_own_tab=True)
        running.conversations.post_message(wanted)
        await running.until(partial(is_shown, running, number))


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def is_shown(running: Running, number: int) -> bool:
    return shown_id(running) == number


def shown_id(running: Running) -> int | None:
    workspace = running.app.chat_screen.workspace
    return workspace._page.conversation_id


def test_a_conversation_has_one_tab() -> None:
    tabs = Tabs()
    tabs.show(1)
    tabs.add(2)
    tabs.add(1)
    assert tabs.opened == OpenTabs((1, 2), 0)


def test_opening_replaces_what_is_shown_unless_told_otherwise() -> None:
    tabs = Tabs()
    tabs.show(1)
    tabs.show(2)
    assert tabs.opened == OpenTabs((2,), 0)


def test_the_last_tab_becomes_a_new_conversation() -> None:
    tabs = Tabs()
    tabs.show(1)
    tabs.close(1)
    assert tabs.opened == OpenTabs((None,), 0)


def test_closing_shows_the_next_one_and_keeps_what_is_shown() -> None:
    tabs = Tabs.of(OpenTabs((1, 2, 3), 1))
    tabs.close(2)
    assert tabs.opened == OpenTabs((1, 3), 1)
    tabs.close(1)
    assert tabs.opened == OpenTabs((3,), 0)


def test_there_is_a_bound_and_the_longest_unused_goes_but_not_what_must_stay() -> None:
    tabs = Tabs()
    tabs.show(1)
    for number in range(2, MAX_TABS + 2):
        tabs.add(number, keep=(1,))
    assert len(tabs.tabs) == MAX_TABS
    ids = [tab.conversation_id for tab in tabs.tabs]
    assert 1 in ids
    assert 2 not in ids
    assert tabs.current.conversation_id == MAX_TABS + 1


async def test_what_was_open_is_remembered(tmp_path: Path) -> None:
    file = OpenTabsFile(tmp_path / "tabs.json")
    assert await file.load() is None
    await file.save(OpenTabs((3, None, 1), 2))
    assert await OpenTabsFile(tmp_path / "tabs.json").load() == OpenTabs((3, None, 1), 2)
    assert names(tmp_path) == ["tabs.json"]  # nothing half-written


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 4000,
        b'{"open": [], "current": 0}',
        b'{"open": [1], "current": 1}',
        b'{"open": [1], "current": true}',
        b'{"open": [1, 1], "current": 0}',
        b'{"open": ["1"], "current": 0}',
        b'{"open": [-1], "current": 0}',
        b'{"open": [1e400], "current": 0}',
        b'{"open": [%s], "current": 0}' % b",".join(b"%d" % n for n in range(1, 100)),
    ],
)
async def test_a_file_that_makes_no_sense_is_no_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tabs.json"
    path.write_bytes(content)
    assert await OpenTabsFile(path).load() is None


async def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    await OpenTabsFile(tmp_path / "gone" / "tabs.json").save(OpenTabs((1,), 0))
    assert not (tmp_path / "gone").exists()


async def test_one_conversation_has_no_tab_line(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one")
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: shown_id(running) == 1)
        assert not line(running).display


async def test_keys_walk_the_tabs_and_close_them(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one", "two", "three")
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: shown_id(running) == 1)
        await open_all(running, 2, 3)
        assert labels(running) == ["one", "two", "three"]
        await running.pilot.press("ctrl+pagedown")
        await running.until(lambda: shown_id(running) == 1)
        await running.pilot.press("ctrl+pageup")
        await running.until(lambda: shown_id(running) == 3)
        await running.pilot.press("alt+2")
        await running.until(lambda: shown_id(running) == 2)
        await running.pilot.press("f5")
        await running.until(lambda: shown_id(running) == 3)
        await running.pilot.press("alt+w")
        await running.until(lambda: labels(running) == ["one", "two"])
        await running.until(lambda: shown_id(running) == 2)
        await running.pilot.press("alt+w")
        await running.until(lambda: not line(running).display)
        assert shown_id(running) == 1
        await running.pilot.press("alt+w")  # the last one stays
        assert shown_id(running) == 1


async def test_the_mouse_shows_and_closes(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one", "two")
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: shown_id(running) == 1)
        await open_all(running, 2)
        await running.until(lambda: line(running).size.width > 0)
        await running.pilot.click(line(running), offset=(5, 0))
        await running.until(lambda: shown_id(running) == 1)
        await running.pilot.click(line(running), offset=(5, 0), button=2)
        await running.until(lambda: not line(running).display)
        assert shown_id(running) == 2


async def test_the_place_where_one_reads_is_kept(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one", "two", length=80)
        running.conversations.post_message(running.conversations.Opened(1))
        await running.shown("one paragraph 79")
        transcript = running.app.chat_screen.workspace._page.transcript
        for _ in range(4):
            await running.pilot.press("pageup")
        await running.until(lambda: not transcript.is_following)
        before = running.text().splitlines()
        first = next(row for row in before if "one paragraph" in row).split("one paragraph ")[1][:2]
        await open_all(running, 2)
        await running.shown("two paragraph 79")
        await running.pilot.press("f5")
        await running.until(lambda: shown_id(running) == 1)
        await running.until(lambda: f"one paragraph {first}" in running.text())
        assert "one paragraph 79" not in running.text()


async def test_one_is_written_while_another_is_read(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["begun", hold, " ended"])) as running:
        await fill(running, "to read")
        await running.send("slow one")
        await hold.reached.wait()
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: shown_id(running) == 1)
        assert labels(running) == ["…slow one", "to read"]
        hold.release()
        await running.until(lambda: labels(running) == ["●slow one", "to read"])
        await running.pilot.press("f5")
        await running.shown("begun ended")
        await running.until(lambda: labels(running) == ["slow one", "to read"])


async def test_a_notice_that_is_not_true_any_more_goes(open_app: Opener) -> None:
    hold = Hold()
    async with open_app(ScriptedEngine(["begun", hold])) as running:
        await running.send("slow one")
        await hold.reached.wait()
        await running.pilot.press("ctrl+n")
        await running.until(lambda: shown_id(running) is None)
        await running.send("impatient")
        await running.until(lambda: "still being written elsewhere" in running.problem)
        assert running.composer.text == "impatient"
        hold.release()
        await running.until(lambda: running.problem == "")


async def test_deleting_what_is_shown_shows_the_tab_beside_it(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one", "two")
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: shown_id(running) == 1)
        await open_all(running, 2)
        running.conversations.focus()
        assert running.conversations.choose(2)
        await running.pilot.press("delete")
        await running.until(lambda: shown_id(running) == 1 and not line(running).display)
        await running.pilot.press("ctrl+z")
        await running.until(lambda: shown_id(running) == 2)


async def test_the_next_start_opens_what_was_left_not_where_a_draft_is(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "with a draft", "left open")
        await running.store.save_draft(1, Draft("unsent words"))
        running.conversations.post_message(running.conversations.Opened(2))
        await running.until(lambda: shown_id(running) == 2)
        await running.pilot.press("ctrl+q")
    async with open_app() as running:
        assert shown_id(running) == 2
        await running.shown("✎ with a draft")


async def test_tabs_are_there_after_a_restart_but_for_what_is_gone(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one", "two", "three")
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: shown_id(running) == 1)
        await open_all(running, 2, 3)
        await running.store.delete(2)
        await running.pilot.press("ctrl+q")
    async with open_app() as running:
        await running.until(lambda: labels(running) == ["one", "three"])
        assert shown_id(running) == 3


async def test_unsent_words_of_a_new_conversation_keep_a_tab(open_app: Opener) -> None:
    async with open_app() as running:
        await fill(running, "one")
        await running.type("not lost")
        running.conversations.post_message(running.conversations.Opened(1))
        await running.until(lambda: shown_id(running) == 1)
        await running.pilot.press("ctrl+q")
    async with open_app() as running:
        assert shown_id(running) == 1
        await running.until(lambda: labels(running) == ["one", "✎New conversation"])
        await running.pilot.press("f5")
        await running.until(lambda: running.composer.text == "not lost")


@pytest.mark.parametrize("size", [(60, 18), (30, 12), (200, 50)], ids=str)
async def test_many_tabs_fit_any_width(open_app: Opener, size: tuple[int, int]) -> None:
    async with open_app(size=size) as running:
        await fill(running, *(f"conversation {n}" for n in range(1, 13)))
        await open_all(running, *range(1, 13))
        await running.shown("conv")
        strip = line(running).render_line(0)
        assert strip.cell_length == line(running).size.width
        assert "12" in strip.text
