"""Pictures of the main states, by hand, after the looks changed: `python -m tests.bench.snapshots`.

The real app with a scripted engine, each scene in two themes and three sizes, written below
`assets/snapshots/`. Needs `rsvg-convert` (librsvg), which turns the SVG of the app into pixels.
"""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

from gemma_tui.conversation import TextPart
from gemma_tui.paths import Paths
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.tui.conftest import running_app
from tests.tui.model_scenes import MODEL_SCENES
from tests.tui.scenes import PICTURED

if TYPE_CHECKING:
    from tests.tui.scenes import Scene

FOLDER: Final = Path(__file__).parents[2] / "assets" / "snapshots"
MAIN: Final = (
    "welcome",
    "answered",
    "writing",
    "chips",
    "gallery",
    "message",
    "list",
    "search",
    "settings",
    "models",
    "models-first-run",
    "models-downloading",
    "models-nothing-fits",
    "models-all-states",
    "help",
    "record",
    "record-silence",
    "recorded",
    "record-loud",
    "budgets",
    "media",
    "transcribing",
    "password",
)
THEMES: Final = ("dark", "light")
SIZES: Final = ((60, 18), (100, 30), (200, 60))
COLOURS: Final = 48
"""Of a picture's palette: text stays sharp, and a picture small."""

DAY: Final = 86400.0
KEPT: Final = (
    ("Which of the two is bigger, 9.11 or 9.9?", 40),
    ("Pruning an old apple tree", 9),
    ("晩ご飯の献立", 8),
    ("A letter to the landlord", 1),
    ("What does the receipt say?", 0),
)
"""Conversations that are already there: title, age in days."""


async def keep(database: Database) -> None:
    """Fill the list of conversations."""
    for title, days in KEPT:
        store = ConversationStore(database, partial(float, time.time() - days * DAY))
        kept = await store.create(title)
        asked = await store.add_message(kept.id, None, "user", (TextPart(title),))
        await store.add_message(kept.id, asked.id, "model", (TextPart("It depends."),))
    await store.pin(1)
    await store.set_tags(3, ("kitchen",))


async def take(scene: Scene, theme: str, size: tuple[int, int], home: Path) -> str:
    """The scene as SVG."""
    paths = Paths(
        data=home / "data", logs=home / "logs", cache=home / "cache", config=home / "config"
    )
    database = await Database.open(paths.database)
    await keep(database)
    await database.close()
    environ = {"GEMMA_TUI_THEME": theme}
    engine, microphone = scene.engine(), scene.microphone()
    starting = running_app(
        *(paths, engine, size),
        environ=environ,
        arguments={},
        microphone=microphone,
        hub=scene.hub(),
    )
    async with starting as running:
        await running.pilot.press("ctrl+n")
        await running.shown("New conversation")
        await scene.show(running, home)
        await running.pilot.pause(0.2)
        picture = running.app.export_screenshot(title="gemma-tui")
    picture = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)  # blanks that begin a text
    return picture.replace("Fira Code", "DejaVu Sans Mono")  # a font converters have


def to_png(svg: str, path: Path) -> None:
    """Write an SVG as a picture of few colours."""
    command = ["rsvg-convert", "--zoom", "0.75"]
    pixels = subprocess.run(command, input=svg.encode(), capture_output=True, check=True).stdout
    with Image.open(io.BytesIO(pixels)) as image:
        image.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main() -> None:
    """Take all, or those whose name begins with what is given."""
    wanted = tuple(sys.argv[1:]) or ("",)
    for name in MAIN:
        scene = next(scene for scene in (*PICTURED, *MODEL_SCENES) if scene.name == name)
        for theme in THEMES:
            for width, height in SIZES:
                path = FOLDER / theme / f"{name}-{width}x{height}.png"
                if not name.startswith(wanted):
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory() as home:
                    svg = asyncio.run(take(scene, theme, (width, height), Path(home)))
                to_png(svg, path)
                sys.stdout.write(f"{path.relative_to(FOLDER)} {path.stat().st_size}\n")


if __name__ == "__main__":
    main()
