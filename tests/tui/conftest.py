"""The whole app with a scripted engine and a real database, driven by a pilot."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import pytest
from textual import events
from textual.widgets import Input

from gemma_tui.chat import Chat
from gemma_tui.exchange.exchange import Exchange
from gemma_tui.frontend.own_settings import system_prompt_of
from gemma_tui.microphone.folder import RecordingFolder
from gemma_tui.microphone.recorder import Recorder
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.open_tabs import OpenTabsFile
from gemma_tui.storage.trees import TreeStore
from gemma_tui.transcription.folder import TranscriptFolder
from gemma_tui.tui.app import GemmaApp
from gemma_tui.tui.widgets.attachment_tray import AttachmentTray
from gemma_tui.tui.widgets.composer import Composer
from gemma_tui.tui.widgets.conversation_list import ConversationList
from gemma_tui.tui.widgets.status_line import ProblemLine, StatusLine
from tests.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from textual.pilot import Pilot

    from gemma_tui.conversation import Message
    from gemma_tui.microphone.interface import Microphone
    from gemma_tui.network import NetworkGuard
    from gemma_tui.paths import Paths
    from gemma_tui.tui.clipboard_content import Clipboard
    from gemma_tui.tui.model_hub import ModelHub

NO_TOUR = {"GEMMA_TUI_TOUR": "false"}
"""The tour would cover what a test wants to see."""

PATIENCE_SECONDS = 60.0
"""Longer than any machine needs; only a condition that never comes true runs into it."""


@dataclass(frozen=True)
class Running:
    """A running app and what a test wants to look at."""

    app: GemmaApp
    pilot: Pilot[None]
    store: ConversationStore
    engine: ScriptedEngine

    @property
    def composer(self) -> Composer:
        return self.app.screen_stack[0].query_one(Composer)

    @property
    def tray(self) -> AttachmentTray:
        return self.app.screen_stack[0].query_one(AttachmentTray)

    @property
    def conversations(self) -> ConversationList:
        return self.app.screen_stack[0].query_one(ConversationList)

    @property
    def problem(self) -> str:
        line = self.app.screen_stack[0].query_one(ProblemLine)
        return str(line.visual) if line.display else ""

    @property
    def status(self) -> str:
        return str(self.app.screen_stack[0].query_one(StatusLine).render())

    def text(self) -> str:
        """Everything on the screen, as text."""
        width, height = self.app.size
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text[:width] for strip in lines[:height])

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Let the app run until `condition` holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"never came true: {what}\n{self.text()}\n{self.problem}")
            await self.pilot.pause()
            await asyncio.sleep(0.005)

    async def shown(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        await self.until(lambda: text in self.text(), repr(text))

    async def type(self, text: str) -> None:
        # As one edit: a pilot takes a tenth of a second for every key.
        self.composer.focus()
        self.composer.replace(text, *self.composer.selection)
        await self.pilot.pause()

    async def send(self, text: str) -> None:
        await self.type(text)
        await self.pilot.press("enter")

    async def paste(self, text: str) -> None:
        # To the app, as a terminal does: posted to a widget it would be handled twice.
        self.app.post_message(events.Paste(text))
        await self.pilot.pause()

    async def typed_path(self) -> Input:
        """The input of the dialogue that Ctrl+O opens."""
        await self.pilot.press("ctrl+o")
        await self.until(lambda: self.app.screen.query(Input), "the dialogue")
        return self.app.screen.query_one(Input)

    def chips(self) -> list[str]:
        return [attachment.name for attachment in self.tray.attachments]

    async def drop(self, *paths: Path) -> None:
        expected = len(self.tray.attachments) + len(paths)
        await self.paste(" ".join(str(path).replace(" ", "\\ ") for path in paths))
        await self.until(lambda: len(self.tray.attachments) == expected, "chips")

    async def branch(self, conversation_id: int = 1) -> tuple[Message, ...]:
        return await self.store.messages(conversation_id)


class Opener(Protocol):
    def __call__(
        self,
        engine: ScriptedEngine | None = None,
        size: tuple[int, int] = (100, 30),
        notice: str = "",
        begun: bool = True,
        environ: dict[str, str] | None = None,
        microphone: Microphone | None = None,
        clipboard: Clipboard | None = None,
        hub: ModelHub | None = None,
    ) -> AbstractAsyncContextManager[Running]:
        """Start the app on the data of this test; what is left in it is there the next time."""


@asynccontextmanager
async def running_app(  # noqa: PLR0917
    paths: Paths,
    engine: ScriptedEngine | None = None,
    size: tuple[int, int] = (100, 30),
    notice: str = "",
    begun: bool = True,
    environ: dict[str, str] | None = None,
    arguments: dict[str, str] | None = None,
    microphone: Microphone | None = None,
    clipboard: Clipboard | None = None,
    network: NetworkGuard | None = None,
    hub: ModelHub | None = None,
) -> AsyncGenerator[Running, None]:
    """The app on the data below `paths`; waits for its start if it is to have `begun`."""
    engine = engine or ScriptedEngine()
    database = await Database.open(paths.database)
    try:
        store = ConversationStore(database)
        await store.mark_interrupted()
        arguments = {"model": str(paths.data)} if arguments is None else arguments
        configuration = Configuration(
            SettingsFile(paths.settings), NO_TOUR | (environ or {}), arguments
        )
        blobs = BlobStore(paths.blobs)
        app = GemmaApp(
            chat=Chat(
                *(store, blobs, engine, system_prompt_of(configuration)),
                transcripts=TranscriptFolder(paths.transcripts),
            ),
            store=store,
            engine=engine,
            configuration=configuration,
            exchange=Exchange(TreeStore(database), blobs, engine.probe),
            open_tabs=OpenTabsFile(paths.open_tabs),
            recorder=Recorder(microphone, RecordingFolder(paths.recordings))
            if microphone
            else None,
            clipboard=clipboard,
            hub=(lambda: hub) if hub else None,
            notice=notice,
            network=network,
        )
        async with app.run_test(size=size, notifications=True) as pilot:
            running = Running(app, pilot, store, engine)
            await running.until(lambda: app.chat_screen.has_begun or not begun, "the start")
            yield running
    finally:
        await database.close()


@pytest.fixture
def open_app(paths: Paths) -> Opener:
    return partial(running_app, paths)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "red circle.png"
    path.write_bytes(b"picture" * 1000)
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "memo.wav"
    path.write_bytes(b"sound")
    return path
