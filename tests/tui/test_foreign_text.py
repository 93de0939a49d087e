"""Foreign text, on every way it can take: nothing of it acts on the terminal, and all of it is seen.

The real program in a real pty; every byte it writes is held to `terminal_grammar`. One start serves
hundreds of texts, each behind a number of its own by which it is found on the screen.
"""

from __future__ import annotations

import json
import shlex
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemma_tui.conversation import (
    Attachment,
    AttachmentPart,
    Draft,
    MessageState,
    TextPart,
    ThoughtPart,
)
from gemma_tui.errors import ModelError
from gemma_tui.generation import TextDelta, ThoughtDelta
from gemma_tui.paths import default_paths
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.open_tabs import OpenTabs, OpenTabsFile
from gemma_tui.tool_call import MalformedToolCall, ToolCall, ToolResult
from tests.tui.foreign_text import (
    END,
    ESC,
    Numbered,
    Program,
    fenced,
    in_pieces,
    missing,
    numbered,
    short,
)
from tests.tui.naughty_strings import ACTING, HIDING, NAUGHTY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gemma_tui.paths import Paths
    from tests.tui.foreign_text import Reply


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def paths(home: Path) -> Paths:
    paths = default_paths({"GEMMA_TUI_HOME": str(home)})
    paths.data.mkdir(parents=True, mode=0o700)
    paths.config.mkdir(parents=True)
    return paths


def test_answers_thoughts_and_calls(home: Path) -> None:
    texts = short(numbered(NAUGHTY))
    thoughts = short(numbered(ACTING, 500))
    calls = [
        ToolCall(text.line, {"argument": text.whole, text.whole: [text.whole]})
        for text in numbered(ACTING[:12], 700)
    ]
    broken = [MalformedToolCall(text.whole, text.line) for text in numbered(ACTING[12:20], 750)]
    replies: list[Reply] = [
        [ThoughtDelta(fenced(thoughts)), *in_pieces(fenced(texts)), TextDelta("first end"), END],
        [
            *[TextDelta(f"{text.whole}\n\n") for text in numbered(NAUGHTY, 300)],
            TextDelta("prose end"),
            END,
        ],
        [*calls, *broken, END],
        [TextDelta("said "), ModelError(f"Cannot {ACTING[2]}.", f"Mend {ACTING[16]}.")],
    ]
    with closing(Program(home, replies=replies, size=(110, 330))) as program:
        program.shows("● ready")
        program.type("/think on\r")
        program.shows("thinking on")
        program.type("one\r")
        program.shows("first end")
        program.until(partial(has_all, program, texts), "answers")
        program.type(f"{ESC}{ESC}[A")
        program.shows("back")
        program.type("t")
        program.until(lambda: missing(thoughts, program.text) == [], "thoughts")
        program.type(ESC)
        program.until(lambda: "Esc back" not in program.text, "the composer")
        program.type("two\r")
        program.shows("prose end")
        program.type("three\r")
        program.until(lambda: program.text.count("● ready") and "<757|" in program.text, "calls")
        program.type("four\r")
        program.shows("Mend")
        program.leave()
        assert program.foreign() == []


async def store_everything(paths: Paths, texts: Sequence[Numbered]) -> None:
    """Put foreign text wherever the database holds any, past every check of the program's own."""
    database = await Database.open(paths.database)
    try:
        store = ConversationStore(database)
        for text in texts:
            await store.rename((await store.create("")).id, text.line)
        talk = await store.create("talk", system_prompt="".join(text.whole for text in texts))
        picture = Attachment("0" * 64, "image", "", "image/png", 9, 640, 480, token_budget=280)
        files = [AttachmentPart(replace(picture, name=text.line)) for text in texts[:40]]
        question, reply = await store.add_turn(
            talk.id, None, (*files, TextPart("\n".join(text.whole for text in texts[40:80]))), ""
        )
        assert question is not None
        parts = (ThoughtPart(ACTING[0]), TextPart(fenced(texts[80:])))
        await store.finish(
            replace(
                reply,
                parts=(
                    *parts,
                    *(ToolResult(text.line, {text.line: text.whole}) for text in texts[:9]),
                ),
                state=MessageState.FAILED,
                model=ACTING[16],
                finish_reason=ACTING[2],
                error=f"<999|{ACTING[0]}\n{ACTING[26]}",
            )
        )
        await store.set_tags(talk.id, [text.text[:40] for text in texts[:9]])
        await store.save_draft(
            talk.id, Draft(f"draft {ACTING[0]}", (replace(picture, name=ACTING[1]),))
        )
        await OpenTabsFile(paths.open_tabs).save(OpenTabs((talk.id, 1, 2), 0))
    finally:
        await database.close()
    with closing(sqlite3.connect(paths.database)) as connection, connection:
        for text in texts[:40]:  # as they are, with line breaks
            wanted = (text.whole.encode(errors="replace").decode(), text.number - 99)
            connection.execute("UPDATE conversation SET title = ? WHERE id = ?", wanted)
        connection.execute("UPDATE tag SET name = name || ?", (ACTING[16],))


def write_settings(paths: Paths) -> None:
    """A settings file whose every text is foreign."""
    quoted = [json.dumps(text).replace("\x7f", "\\u007f") for text in ACTING[:12]]
    lines = [
        f"[models]\nknown_models = [{', '.join(quoted)}]",
        f"[replies]\nsystem_prompt = {quoted[0]}",
        f"[app]\ntheme = {quoted[2]}",
        "[presets]",
        *(f"{text} = {text}" for text in quoted),
        f"[{quoted[3]}]\n{quoted[4]} = {quoted[5]}",
    ]
    paths.settings.write_text("\n".join(lines), "utf-8")


async def test_what_is_stored(home: Path, paths: Paths) -> None:
    texts = [
        Numbered(text.number, text.text.encode(errors="replace").decode())
        for text in short(numbered(NAUGHTY))
    ]
    texts = [replace(text, number=100 + index) for index, text in enumerate(texts)]
    await store_everything(paths, texts)
    write_settings(paths)
    with closing(Program(home, size=(120, 200))) as program:
        program.shows("● ready")
        program.shows("<999|")
        program.until(partial(has_all, program, texts[80:]), "the talk")
        program.type("\x1bOR")  # F3: search
        program.shows("Search all")
        program.type("red")
        program.until(lambda: "2 hits" in program.text, "a hit")
        program.type(ESC)
        program.lacks("2 hits")
        for key, shown in (
            ("\x1bOQ", "Models folder"),
            ("\x0c", "built-in"),
            ("\x10", "Answer again"),
        ):
            program.type(key)
            program.shows(shown)
            program.type(ESC)
            program.lacks(shown)
        program.leave()
        assert program.foreign() == []


def make_files(folder: Path, texts: Sequence[Numbered]) -> list[Numbered]:
    """Files with foreign names; those that the file system takes."""
    folder.mkdir()
    made = []
    for text in texts:
        try:
            (folder / f"{text.name}.png").write_bytes(text.name.encode())
        except OSError:
            continue
        made.append(Numbered(text.number, text.name.partition("|")[2]))
    return made


def test_names_of_files(home: Path) -> None:
    files = home.parent / "files"
    texts = make_files(files, short(numbered(ACTING + HIDING)))
    folder = home.parent / "below"
    completed = make_files(folder, short(numbered(ACTING[:5], 700)))
    with closing(Program(home, size=(120, 120), folder=folder)) as program:
        program.shows("● ready")
        for first in range(0, len(texts), 20):
            group = texts[first : first + 20]
            names = {path.name.partition("|")[0]: path for path in files.iterdir()}
            drop = " ".join(shlex.quote(f"{names[f'<{text.number}']}") for text in group)
            program.paste(drop)
            program.until(partial(has_all, program, group[-1:]), "chips")
            program.send(f"look {first}.")
            program.until(partial(has_all, program, group), "what was sent")
        program.type("@<70")
        program.until(partial(has_all, program, completed), "completions")
        program.type("\t")
        program.until(lambda: "@<70" not in program.text, "the chip")
        program.type(ESC)
        name = next(path for path in folder.iterdir() if path.name.startswith("<703"))
        program.type("/attach ")
        program.paste(f"{name}")
        program.type("\r")
        program.until(partial(has_all, program, [completed[3]]), "the chip")
        program.type("\x0f")  # Ctrl+O: no such file
        program.shows("Enter attaches")
        program.paste(f"{name}.not")
        program.type("\r")
        program.shows("There is no file")
        program.leave()
        assert program.foreign() == []


def has_all(program: Program, texts: Sequence[Numbered]) -> bool:
    return missing(texts, program.text, 4) == []


@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(st.characters(codec=None, exclude_categories=())), min_size=150))
def test_any_text(tmp_path_factory: pytest.TempPathFactory, drawn: list[str]) -> None:
    home = tmp_path_factory.mktemp("any") / "home"
    texts = [text.replace("\0", "") for text in drawn]
    sent = [text.encode(errors="replace").decode() for text in texts]
    replies: list[Reply] = [
        [*[TextDelta(f"{text}\n\n") for text in texts], TextDelta("the end"), END]
    ]
    with closing(Program(home, replies=replies, size=(100, 50))) as program:
        program.shows("● ready")
        program.paste("\n".join(sent[:40]) + "pasted end")
        program.until(lambda: "pasted end" in program.text or "pasted text" in program.text)
        program.send("go")
        program.shows("the end")
        for text in sent[40:60]:
            program.type(f"/rename {''.join(c for c in text if c.isprintable())}x\r")
        program.type("/nothing of the kind\r")
        program.leave()
        assert program.foreign() == []
