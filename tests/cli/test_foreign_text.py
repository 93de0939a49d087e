"""The command line in a real terminal: what it prints cannot act there, wherever it comes from."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from gemma_tui.conversation import MessageState, TextPart
from gemma_tui.errors import ModelError
from gemma_tui.generation import TextDelta
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.tui.foreign_text import END, Program, fenced, missing, numbered, short
from tests.tui.naughty_strings import ACTING, HIDING
from tests.tui.terminal_grammar import Grammar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.foreign_text import Reply

LINES = Grammar(draws=False)

TEXTS = short(numbered(text.encode(errors="replace").decode() for text in (*ACTING, *HIDING)))
SIZE = (120, 300)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def filled(home: Path) -> Path:
    """A home with foreign titles, tags and messages."""
    (home / "data").mkdir(parents=True)
    (home / "config").mkdir()
    (home / "config" / "settings.toml").write_text(
        '[replies]\nsystem_prompt = "\\u001b[2J\\u009b2J"\n["\\u001b]0;x\\u0007"]\na = 1\n'
        '[app]\ntheme = "\\u001b[31m"\n',
        "utf-8",
    )
    database = await Database.open(home / "data" / "conversations.db")
    try:
        store = ConversationStore(database)
        for text in TEXTS[:40]:
            await store.rename((await store.create("")).id, text.line)
        talk = await store.create(f"talk {ACTING[16]}", f"system {ACTING[0]}")
        words = "\n".join(text.whole for text in TEXTS)
        question, reply = await store.add_turn(talk.id, None, [TextPart(words)], "")
        assert question is not None
        await store.finish(
            reply.__class__(
                **{
                    **{name: getattr(reply, name) for name in reply.__dataclass_fields__},
                    "parts": (TextPart(f"needle {words}"),),
                    "state": MessageState.FAILED,
                    "model": ACTING[2],
                    "error": ACTING[26],
                }
            )
        )
        await store.set_tags(talk.id, [ACTING[2], ACTING[16]])
    finally:
        await database.close()
    return home


def run(home: Path, *arguments: str, typed: str = "") -> Program:
    """Run a command to its end."""
    replies: list[Reply] = [
        [TextDelta(fenced(TEXTS)), END],
        [ModelError(f"Cannot {ACTING[2]}.", ACTING[16])],
    ]
    program = Program(home, *arguments, replies=replies, size=SIZE)
    with closing(program):
        if typed:
            program.type(typed)
        program.wait()
    return program


def test_an_answer(home: Path) -> None:
    program = run(home, "ask", "--model", f"{home.parent}/scripted", f"say {ACTING[2]}")
    assert missing(TEXTS, program.text) == []
    assert program.foreign(LINES) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", "list"),
        ("history", "list", "--json"),
        ("history", "search", "needle"),
        ("history", "search", "needle", "--json"),
        ("history", "show", "41"),
        ("history", "show", "41", "--json"),
        ("history", "export", "41", "--format", "json", "--out", "-"),
        ("history", "export", "41", "--format", "html", "--out", "-"),
        ("config", "show"),
        ("config", "path"),
    ],
    ids=" ".join,
)
def test_what_is_stored(filled: Path, arguments: tuple[str, ...]) -> None:
    program = run(filled, *arguments)
    assert program.child.exitstatus == 0
    assert program.foreign(LINES) == []
    if arguments[:2] == ("history", "show") and len(arguments) == 3:
        assert missing(TEXTS, program.text) == []
    if arguments == ("history", "list"):
        assert missing(TEXTS[:40], program.text) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "x", "--attach", f"/no/{ACTING[2]}.png"),
        ("ask", "x", "--model", f"/no/broken {ACTING[2]}"),
        ("ask", f"--{ACTING[2]}"),
        (ACTING[2],),
        ("history", "import", f"/no/{ACTING[16]}.json"),
    ],
    ids=str,
)
def test_errors_that_quote(home: Path, arguments: tuple[str, ...]) -> None:
    program = run(home, *arguments)
    assert program.foreign(LINES) == []
    assert "red" in program.text or "title" in program.text


def test_a_plain_chat(filled: Path) -> None:
    typed = "hello\r/list\r/open 41\r/rename \x16\x1b[31mred\r/nope\x16\x1b[2J\r/quit\r"
    program = Program(
        filled,
        *("--plain", "--model", f"{filled.parent}/scripted"),
        replies=[[TextDelta(fenced(TEXTS)), END]],
        size=SIZE,
    )
    with closing(program):
        program.shows("ready")
        program.type(typed)
        program.wait()
    assert "<120|" in program.text
    assert program.foreign(Grammar(draws=False, is_edited=True)) == []
