"""What plain mode attaches fits the model that answers, and what the conversation leaves of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from gemma_tui.chat import Chat
from gemma_tui.conversation import Usage
from gemma_tui.engine.interface import EngineState
from gemma_tui.generation import Finished, MediaInfo
from gemma_tui.plain.console import Console
from gemma_tui.plain.conversing import Conversing
from gemma_tui.plain.drafts import PlainDraft
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.scripted_engine import MODEL, ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LOG = "a line\n" * 4_000
ROOM = MODEL.context_length * 3 // 4


@dataclass(frozen=True, slots=True)
class Scene:
    conversing: Conversing
    draft: PlainDraft
    notes: StringIO


@asynccontextmanager
async def opened(engine: ScriptedEngine, folder: Path) -> AsyncIterator[Scene]:
    database = await Database.open(folder / "conversations.db")
    try:
        notes = StringIO()
        store, console = ConversationStore(database), Console(StringIO(), notes)
        chat, draft = Chat(store, BlobStore(folder / "blobs"), engine), PlainDraft(store, console)
        configuration = Configuration(SettingsFile(folder / "settings.toml"), {})
        yield Scene(Conversing(chat, store, configuration, console, draft), draft, notes)
    finally:
        await database.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    path.write_text(LOG)
    return path


def engine_with(*scripts: list[str | Finished]) -> ScriptedEngine:
    engine = ScriptedEngine(*scripts)
    engine.media["log.txt"] = MediaInfo("text", "text/plain")
    return engine


def characters(scene: Scene) -> int:
    (item,) = scene.conversing.attachments
    return sum(part.length for part in item.segments) or item.size_bytes


async def test_what_the_conversation_takes_is_not_left_for_a_file(
    tmp_path: Path, log: Path
) -> None:
    used = 6_000
    engine = engine_with([Finished("stop", Usage(prompt_tokens=used))])
    async with opened(engine, tmp_path) as scene:
        await scene.conversing.attach([log])
        assert ROOM * 0.9 < characters(scene) <= ROOM
        scene.conversing.attachments = ()
        await scene.conversing.send("hello")
        await scene.conversing.attach([log])
        assert 0 < characters(scene) <= (MODEL.context_length - used) * 3 // 4


async def test_a_question_with_a_file_waits_for_the_model_and_fits_it(
    tmp_path: Path, log: Path
) -> None:
    engine = engine_with(["Hello."])
    engine.set_state(EngineState("loading"))
    async with opened(engine, tmp_path) as scene:
        await scene.conversing.attach([log])
        assert characters(scene) == len(LOG)  # nobody knew the context
        sending = asyncio.ensure_future(scene.conversing.send("why?"))
        await asyncio.sleep(0)
        engine.set_state(EngineState("ready", MODEL))
        await sending
        question, _ = scene.conversing.branch
        assert 0 < sum(part.length for part in question.attachments[0].segments) <= ROOM
        assert "is long: lines 1-" in scene.notes.getvalue()


async def test_a_question_that_waits_for_the_model_can_be_stopped(
    tmp_path: Path, log: Path
) -> None:
    engine = engine_with(["Hello."])
    engine.set_state(EngineState("loading"))
    async with opened(engine, tmp_path) as scene:
        await scene.conversing.attach([log])
        sending = asyncio.ensure_future(scene.conversing.send("why?"))
        await asyncio.sleep(0)
        assert scene.conversing.stop()
        await sending
        assert engine.requests == []
        assert (scene.draft.offered, len(scene.conversing.attachments)) == ("why?", 1)
        assert "Nothing was sent." in scene.notes.getvalue()
