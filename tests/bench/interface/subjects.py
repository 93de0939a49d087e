"""The programs that are measured side by side, each with a conversation of so many messages.

Ours beside an engine without a model; Textual's own `Markdown` widget as a chat; and oterm, if its
interpreter is given, on a loopback server that answers as Ollama does.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import TextPart
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.open_tabs import OpenTabs, OpenTabsFile
from tests.bench.interface.program import ENGINE
from tests.bench.interface.texts import talk
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gemma_tui.conversation import Role

SIZE: Final = (100, 30)
PACED: Final = "tests.bench.interface.paced_worker"
_ATTRIBUTES: Final = (b"\x1b[c", b"\x1b[?62;22c")
"""What some programs ask a terminal at the start, and wait for."""


class AnsweringTerminal(Terminal):
    """Answers who it is, as terminals do."""

    def draw(self, data: bytes) -> None:
        super().draw(data)
        question, answer = _ATTRIBUTES
        if question in data:
            self.type(answer.decode())


@dataclass(frozen=True, slots=True)
class Subject:
    """A program to be started.

    Args:
        name: What the table calls it.
        command: Program and arguments.
        home: A folder of its own.
        environ: Further environment variables.
    """

    name: str
    command: list[str]
    home: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> Terminal:
        """Run it in a pty."""
        return AnsweringTerminal(
            self.command, home=self.home, size=SIZE, environ=self.environ, folder=self.home
        )


def ours(home: Path, count: int) -> Subject:
    """The real program; its conversation is open when it starts."""
    home.mkdir(parents=True)
    if count:
        asyncio.run(_store(home, talk(count)))
    command = [sys.executable, "-m", "tests.bench.interface.program", "--model", str(home)]
    return Subject("gemma-tui", command, home, {ENGINE: PACED})


async def _store(home: Path, texts: list[str]) -> None:
    database = await Database.open(home / "data" / "conversations.db")
    store = ConversationStore(database)
    conversation, last = await store.create("long"), None
    for number, text in enumerate(texts):
        role: Role = "model" if number % 2 else "user"
        last = await store.add_message(
            conversation.id, last.id if last else None, role, (TextPart(text),)
        )
    await OpenTabsFile(home / "data" / "tabs.json").save(OpenTabs((conversation.id,), 0))
    await database.close()


def markdown(home: Path, count: int) -> Subject:
    """Textual's own widget."""
    home.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.bench.interface.markdown_app", str(count)]
    return Subject("Markdown", command, home)


def oterm(home: Path, count: int, *, python: Path, server: str) -> Subject:
    """oterm 0.26; its only chat is open when it starts.

    Args:
        home: A folder of its own.
        count: Messages of the chat.
        python: The interpreter of a venv that has it.
        server: The address of a server that answers as Ollama does.
    """
    home.mkdir(parents=True)
    (home / "config.json").write_text(json.dumps({"splash-screen": False}))
    database = sqlite3.connect(home / "store.db")
    database.executescript(_OTERM_TABLES)
    database.execute("INSERT INTO chat (name, model) VALUES ('long', 'paced:latest')")
    database.executemany(
        "INSERT INTO message (chat_id, author, text) VALUES (1, ?, ?)",
        (("assistant" if n % 2 else "user", text) for n, text in enumerate(talk(count))),
    )
    database.commit()
    database.close()
    environ = {
        "OTERM_DATA_DIR": str(home),
        "OLLAMA_URL": server,
        "HTTPS_PROXY": "http://127.0.0.1:9",  # it asks the network whether there is a newer one
        "NO_PROXY": "127.0.0.1",
    }
    return Subject("oterm", [str(python.with_name("oterm"))], home, environ)


_OTERM_TABLES: Final = """
    CREATE TABLE chat (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, model TEXT NOT NULL, system TEXT,
        provider TEXT DEFAULT 'ollama', parameters TEXT DEFAULT '{}', tools TEXT DEFAULT '[]',
        thinking BOOLEAN DEFAULT 0
    );
    CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id INTEGER NOT NULL, author TEXT NOT NULL,
        text TEXT NOT NULL, images TEXT DEFAULT '[]',
        FOREIGN KEY (chat_id) REFERENCES chat (id) ON DELETE CASCADE
    );
    PRAGMA user_version = 6656;
"""
"""As version 0.26.0 makes them: what is written here is what its importer reads, too."""
