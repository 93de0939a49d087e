"""What tells that an answer has ended while nobody looks: when, and that nothing is left behind."""

from __future__ import annotations

import re
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.conversation import MessageState
from gemma_tui.errors import ModelError
from gemma_tui.frontend.turn import Turn
from gemma_tui.paths import default_paths
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.tui.notifying import LONG_SECONDS, Notifier
from gemma_tui.tui.window_title import WindowTitle
from tests.tui.foreign_text import Program
from tests.tui.naughty_strings import NAUGHTY
from tests.tui.terminal_grammar import Grammar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Opener, Running

FOCUS_IN, FOCUS_OUT = "\x1b[I", "\x1b[O"
EVIL = "evil \x1b]0;owned\x07 \x9b21t \u202etitle"
SHOWN = "evil ␛]0;owned␇ \ufffd21t \ufffdtitle"
FAILS = [[ModelError("Cannot answer.", "Ask later.")]]


@dataclass
class Window:
    """A terminal that remembers what it was told."""

    app_focus: bool = False
    rung: int = 0
    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.window_title = WindowTitle(self.written.append)

    def bell(self) -> None:
        self.rung += 1


async def told(running: Running, turn: Turn, *, is_seen: bool = False) -> Window:
    """What a window is told when a turn ends."""
    window, screen = Window(is_seen), running.app.chat_screen
    notifier = Notifier(
        *(running.store, screen._page, screen.choosing.preferences),
        terminal=lambda: window,
        perform=screen.perform,
    )
    notifier.turn_ended(turn)
    await running.app.workers.wait_for_complete()
    return window


async def ended_turn(running: Running, seconds: float = 0.0) -> Turn:
    """The turn of an answer that is on the screen."""
    await running.send("bread")
    await running.until(lambda: "ready" in running.status and running.app.chat_screen._page.last)
    reply = (await running.branch())[-1]
    turn = Turn(reply.conversation_id, None, None, began_at=time.monotonic() - seconds)
    turn.reply, turn.is_finished = reply, True
    return turn


async def test_only_what_nobody_waited_for_is_told(open_app: Opener) -> None:
    async with open_app() as running:
        short, long = await ended_turn(running), await ended_turn(running, LONG_SECONDS)
        assert (await told(running, short)).rung == 0
        assert (await told(running, long)).written == ["\x1b[22;0t\x1b]0;● bread\x07"]
        assert (await told(running, long)).rung == 1
        assert (await told(running, long, is_seen=True)).rung == 0
        stopped = replace(long, is_stopping=True)
        assert (await told(running, stopped)).rung == 0


async def test_a_failure_is_told_however_short(open_app: Opener) -> None:
    async with open_app() as running:
        turn = await ended_turn(running)
        assert turn.reply is not None
        turn.reply = replace(turn.reply, state=MessageState.FAILED)
        assert (await told(running, turn)).written == ["\x1b[22;0t\x1b]0;! bread\x07"]
        nothing_stored = replace(turn, reply=None)
        assert (await told(running, nothing_stored)).written == ["\x1b[22;0t\x1b]0;! gemma-tui\x07"]


async def test_an_answer_behind_another_page_is_told(open_app: Opener) -> None:
    async with open_app() as running:
        turn = await ended_turn(running)
        await running.pilot.press("ctrl+n")
        await running.until(lambda: running.app.chat_screen._page.conversation_id is None)
        assert (await told(running, turn)).rung == 1


@pytest.mark.parametrize(
    ("how", "rings", "shows"),
    [("off", 0, 0), ("bell", 1, 0), ("title", 0, 1), ("both", 1, 1)],
)
async def test_it_is_told_as_the_settings_say(
    open_app: Opener, how: str, rings: int, shows: int
) -> None:
    async with open_app(environ={"GEMMA_TUI_NOTIFICATIONS": how}) as running:
        window = await told(running, await ended_turn(running, LONG_SECONDS))
        assert (window.rung, len(window.written)) == (rings, shows)


async def store_title(home: Path) -> None:
    """A conversation with a foreign title, past every check of the program's own."""
    paths = default_paths({"GEMMA_TUI_HOME": str(home)})
    paths.data.mkdir(parents=True, mode=0o700)
    database = await Database.open(paths.database)
    try:
        await ConversationStore(database).create("talk")
    finally:
        await database.close()
    with closing(sqlite3.connect(paths.database)) as connection, connection:
        connection.execute("UPDATE conversation SET title = ?", (EVIL,))


@pytest.mark.parametrize("leaves_by_signal", [False, True])
async def test_the_title_is_given_back(tmp_path: Path, leaves_by_signal: bool) -> None:
    await store_title(tmp_path / "home")
    with closing(Program(tmp_path / "home", replies=FAILS)) as program:
        program.shows("● ready")
        program.shows("owned")
        program.type(f"again\r{FOCUS_OUT}")
        program.until(lambda: program.screen.title == f"! {SHOWN}", "the title")
        if leaves_by_signal:
            program.kill(signal.SIGTERM)
            assert program.wait() == 128 + signal.SIGTERM
        else:
            program.type(FOCUS_IN)
            program.until(lambda: b"\x1b[23;0t" in program.written, "the title is back")
            program.leave()
        grammar = Grammar(titles=frozenset({f"! {SHOWN}"}), rings=1)
        assert program.foreign(grammar) == []
        assert program.foreign(replace(grammar, rings=0)) == [repr("\x07")]


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_no_title_acts_on_the_terminal(text: str) -> None:
    for foreign in (text, *NAUGHTY):
        written: list[str] = []
        title = WindowTitle(written.append)
        title.show(foreign)
        title.restore()
        found = re.fullmatch(r"\x1b\[22;0t\x1b\]0;([^\x07\x1b]*)\x07", written[0])
        assert found is not None, ascii(foreign)
        grammar = Grammar(titles=frozenset({found[1]}))
        assert grammar.foreign("".join(written).encode()) == []
        assert grammar.foreign(found[1].encode()) == [], ascii(foreign)
