"""README's picture: `python -m tests.bench.screenshot FILE.svg`, by hand, after the looks changed.

The real app with the real engine and the built-in model answers three questions; the SVG is then
turned into `assets/screenshot.png` by any converter (`cairosvg FILE.svg -o assets/screenshot.png`).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events

from gemma_tui.chat import Chat
from gemma_tui.engine.client import EngineClient
from gemma_tui.exchange.exchange import Exchange
from gemma_tui.paths import Paths
from gemma_tui.settings.configuration import Configuration
from gemma_tui.settings.file import SettingsFile
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from gemma_tui.storage.trees import TreeStore
from gemma_tui.tui.app import GemmaApp
from gemma_tui.tui.screens.chat import ChatScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
SIZE = (104, 34)
TURNS = (
    ("handwritten-7.png", "What does it say?"),
    ("blue-star.png", "And what is this?"),
    ("three-one-four.wav", "What did I say?"),
)


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Let the app work until something holds."""
    while not condition():
        await pilot.pause(0.05)


async def play(home: Path) -> str:
    """Ask everything, leave a picture in the composer; returns the screenshot as SVG."""
    paths = Paths(
        data=home / "data", logs=home / "logs", cache=home / "cache", config=home / "config"
    )
    database = await Database.open(paths.database)
    engine = EngineClient(paths.engine_log)
    store = ConversationStore(database)
    blobs = BlobStore(paths.blobs)
    chat = Chat(store, blobs, engine)
    exchange = Exchange(TreeStore(database), blobs, engine.probe)
    configuration = Configuration(SettingsFile(paths.settings), {"GEMMA_TUI_TOUR": "false"})
    app = GemmaApp(
        chat=chat, store=store, engine=engine, configuration=configuration, exchange=exchange
    )
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: engine.state.phase == "ready")
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        tray = screen.query_one("AttachmentTray")
        for name, question in TURNS:
            app.post_message(events.Paste(str(EXAMPLES / name)))
            await until(pilot, lambda: tray.attachments)  # type: ignore[attr-defined]
            await pilot.press(*("space" if c == " " else c for c in question), "enter")
            await until(pilot, lambda: screen.desk.turn is not None)
            await until(pilot, lambda: screen.desk.turn is None)
        app.post_message(events.Paste(str(EXAMPLES / "red-circle.png")))
        await until(pilot, lambda: tray.attachments)  # type: ignore[attr-defined]
        await pilot.pause(0.5)
        picture = app.export_screenshot(title="gemma-tui")
    await engine.close()
    await database.close()
    return picture.replace("Fira Code", "DejaVu Sans Mono")  # a font converters have


def main() -> None:
    """Write the SVG to the path given."""
    with tempfile.TemporaryDirectory() as home:
        picture = asyncio.run(play(Path(home)))
    Path(sys.argv[1]).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
