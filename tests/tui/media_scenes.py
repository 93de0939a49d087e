"""Scenes of attachments: what chips say at three budgets, of every kind, and while they are made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.conversation import Segment
from gemma_tui.errors import LockedDocumentError
from gemma_tui.generation import MediaInfo
from gemma_tui.preprocessing.frame_times import frame_segments
from gemma_tui.selection import page_label
from gemma_tui.sound_clip import SoundClip
from tests.scripted_engine import MODEL, Hold, ScriptedEngine
from tests.scripted_microphone import ScriptedMicrophone, speech

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.conftest import Running

SECOND = 16_000
PHOTO, REPORT, FILM, LECTURE, LOCKED = (
    *("harbour.jpg", "annual report.pdf", "ferry.mp4", "lecture.mp3"),
    "contract.pdf",
)


def listening_engine() -> ScriptedEngine:
    """A model of a large context that knows these files, and takes its time with a sound."""
    model = replace(MODEL, name="Gemma 4 E4B", context_length=131_072, is_demo=False)
    engine = ScriptedEngine(["The ferry leaves", Hold()], model=model)
    pages = tuple(
        Segment("image", n, width=1224, height=1584, label=page_label(n, 24)) for n in range(24)
    )
    frames = (*frame_segments(48_000), *(Segment("audio", 0, 24 * SECOND),) * 2)
    engine.media |= {
        PHOTO: MediaInfo("image", "image/jpeg", 4032, 3024, 0, 560, "some text"),
        REPORT: MediaInfo("image", "application/pdf", 1224, 1584, 0, 1120, "pages", pages),
        FILM: MediaInfo("image", "video/mp4", 1920, 1080, 48 * SECOND, 70, "frames", frames),
        LECTURE: MediaInfo("audio", "audio/mpeg", sample_count=3 * 3600 * SECOND),
        LOCKED: LockedDocumentError(f"“{LOCKED}” is locked with a password.", "Attach it again."),
    }
    engine.clips[0] = SoundClip(0, 25 * SECOND, 0, 0, 25 * SECOND)
    return engine


async def show_budgets(running: Running, folder: Path) -> None:
    """One photograph at 70, 280 and 1120."""
    photo = folder / PHOTO
    photo.write_bytes(b"photo" * 500_000)
    for budget in (70, 280, 1120):
        await running.drop(photo)
        await running.send(f"/budget {budget}")
        await running.shown(f"of {budget} tokens")
    await running.type("How much does each see?")
    running.tray.focus()
    await running.shown("% of context")


async def show_kinds(running: Running, folder: Path) -> None:
    """A document, a video, a long sound."""
    paths = [folder / name for name in (REPORT, FILM, LECTURE)]
    for path in paths:
        path.write_bytes(path.name.encode() * 90_000)
    await running.drop(*paths)
    await running.type("What do these have in common?")
    running.tray.focus()
    await running.pilot.press("left")
    await running.pilot.pause()


async def show_transcribing(running: Running, folder: Path) -> None:
    """A sound that is being written down."""
    path = folder / LECTURE
    path.write_bytes(path.name.encode() * 90_000)
    await running.drop(path)
    running.tray.focus()
    await running.pilot.press("t")
    await running.shown("writing down clip 1")


async def show_password(running: Running, folder: Path) -> None:
    """A locked document, and a password that was wrong."""
    path = folder / LOCKED
    path.write_bytes(b"%PDF-1.7")
    await running.paste(str(path))
    await running.shown("is locked")
    await running.pilot.press(*"wrong", "enter")
    await running.shown("does not open it")
    await running.pilot.press(*"secret")
    await running.pilot.pause()


async def show_loud(running: Running, folder: Path) -> None:
    """The recorder while the sound is cut off."""
    del folder
    await running.pilot.press("f9")
    await running.shown("Too loud")


def too_loud() -> ScriptedMicrophone:
    """Somebody shouts."""
    return ScriptedMicrophone([*speech(60), 1.0, 1.0, 0.9])
