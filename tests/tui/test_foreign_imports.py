"""Foreign text in the files that are imported, and in their names: nothing of it acts on the terminal.

As in `test_foreign_text`: the real program in a real pty, and every byte it writes is held to
`terminal_grammar`.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from gemma_tui.exchange.exchange import Exchange
from gemma_tui.paths import default_paths
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.trees import TreeStore
from tests.exchange.conftest import probe
from tests.exchange.test_foreign import CHAT, MESSAGE, OTERM, chat, node, oterm, text
from tests.tui.foreign_text import Program, numbered, short
from tests.tui.naughty_strings import NAUGHTY
from tests.tui.test_foreign_fields import F7, FOREIGN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.tui.foreign_text import Numbered


async def our_export(folder: Path, texts: Sequence[Numbered]) -> Path:
    """A file of ours whose every text is foreign, as its name is."""
    paths = default_paths({"GEMMA_TUI_HOME": str(folder / "there")})
    paths.data.mkdir(parents=True, mode=0o700)
    database = await Database.open(paths.database)
    try:
        store = ConversationStore(database)
        talk = await store.create("TITLE", system_prompt="".join(text.whole for text in texts))
        await store.set_tags(talk.id, ["TAG"])
        await store.set_settings(talk.id, json.dumps({"model": "/no/MODEL"}))
        exchange = Exchange(TreeStore(database), BlobStore(paths.blobs), probe)
        written = await exchange.export(talk.id, folder / "ours.json")
    finally:
        await database.close()
    content = written.read_text("utf-8")
    for word in ("TITLE", "TAG", "/no/MODEL"):
        foreign = json.dumps(f"<{word}|{''.join(FOREIGN[:20])}")[1:-1]
        if f'\\"{word}\\"' in content:  # JSON in JSON
            foreign = json.dumps(foreign)[1:-1]
        assert word in content
        content = content.replace(word, foreign)
    file = folder / f"ours {FOREIGN[2]} {FOREIGN[16]}.json".replace("/", "")
    file.write_text(content, "utf-8")
    return file


def chatgpt_export(folder: Path, texts: Sequence[Numbered]) -> Path:
    """A file of ChatGPT whose every text is foreign."""
    foreign = "".join(text.whole for text in texts)
    conversation = chat(
        node("q", "system", ["a"], "user", text(foreign)),
        node("a", "q", [], "assistant", text(foreign), metadata={"model_slug": foreign}),
        title=f"<CHATGPT|{foreign}",
    )
    file = folder / "conversations.json"
    file.write_text(json.dumps([conversation]), "utf-8")
    return file


def import_file(program: Program, file: Path, shown: str) -> None:
    """Import by the dialogue."""
    program.type("/import\r")
    program.shows("Enter imports")
    program.paste(f"{file}")
    program.shows(file.suffix)
    program.type("\r")
    program.shows(shown)


async def test_what_is_imported(tmp_path: Path) -> None:
    texts = short(numbered(text.encode(errors="replace").decode() for text in NAUGHTY[:60]))
    foreign = "".join(text.whole for text in texts)
    rows = (CHAT, 1, f"<OTERM|{foreign}", foreign, foreign), (MESSAGE, 1, foreign, foreign, foreign)
    files = {
        "<TITLE|": await our_export(tmp_path, texts),
        "<CHATGP": chatgpt_export(tmp_path, texts),
        "<OTERM|": oterm(tmp_path, OTERM, *rows),
    }
    damaged = tmp_path / f"damaged {FOREIGN[2]} {FOREIGN[30]}.json".replace("/", "")
    damaged.write_text('{"format": "gemma-tui", "version": 99', "utf-8")
    with closing(Program(tmp_path / "home", size=(150, 60))) as program:
        program.shows("● ready")
        for title, file in files.items():
            import_file(program, file, title)
        import_file(program, damaged, "! ")
        program.type(F7)
        program.shows("damaged")
        program.type(F7)
        program.lacks("Told before")
        program.leave()
        assert program.foreign() == []
