"""Speed of sounds, documents and videos: `python -m tests.bench.media [--reference PYTHON]`, by hand.

Three hours of mp3 (constant and varying bit rate) are probed, their first and a late clip are found
and turned into features by one decoder process, whose memory is watched; 60 pages and a video of
60 s are asked about through the real engine, and it is counted how often their progress is told.
With the interpreter of a venv with transformers and torch, pictures and mel frames are compared with
the reference processors, too (`tests.bench.runtime`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gemma_tui.chat import Chat
from gemma_tui.conversation import Draft
from gemma_tui.engine.client import EngineClient
from gemma_tui.generation import Media, MediaProgress, PrefillProgress
from gemma_tui.options import GenerationOptions
from gemma_tui.paths import builtin_model
from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.runtime.decoders import Decoders
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.preprocessing import documents
from tests.preprocessing.sounds import encoded
from tests.preprocessing.videos import encoded_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from gemma_tui.conversation import Attachment

HOURS: Final = 3
RATE: Final = 24_000
NO_HEADER: Final = {"write_xing": "0", "id3v2_version": "0"}
PAGES: Final = 60


def talk(seconds: int) -> np.ndarray:
    """Noise with pauses, about as loud as speech."""
    noise = np.random.default_rng(2).normal(0, 0.15, seconds * RATE)
    found: np.ndarray = noise * (np.sin(np.arange(noise.size) / RATE * 2.1) > -0.7)
    return found


def long_sounds(folder: Path) -> dict[str, Path]:
    """Three hours each, minute by minute."""
    minute = talk(60)
    loud = encoded(minute, "mp3", "libmp3lame", RATE, NO_HEADER)
    quiet = encoded(
        minute * np.arange(minute.size) / minute.size / 50, "mp3", "libmp3lame", RATE, NO_HEADER
    )
    found = {"constant bit rate": [loud], "varying bit rate, no header": [loud, quiet]}
    paths = {}
    for name, pieces in found.items():
        paths[name] = folder / f"{name}.mp3"
        paths[name].write_bytes(b"".join(pieces) * (60 * HOURS // len(pieces)))
    return paths


def peak_bytes(process_id: int) -> int:
    """The most memory a process has had (Linux)."""
    text = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if "VmHWM" in line)


def timed(times: list[float], work: Callable[[], object]) -> object:
    """Do it, and keep the milliseconds."""
    started = time.perf_counter()
    found = work()
    times.append(1e3 * (time.perf_counter() - started))
    return found


def show(name: str, times: list[float], bar: float = 0.0) -> None:
    """One row: median and worst, the first call apart, which opens the file for the first time."""
    met = "" if not bar else " ok" if statistics.median(times) <= bar else " MISSED"
    aim = f" bar {bar:g}" if bar else ""
    row = f"median {statistics.median(times):8.1f} ms, worst {max(times):8.1f}{aim}{met}"
    sys.stdout.write(f"{name:<58} {row}\n")
    sys.stdout.flush()


def measure_sounds(folder: Path, runs: int) -> None:
    """Probe, first clip, late clip."""
    for name, path in long_sounds(folder).items():
        probed: list[float] = []
        first: list[float] = []
        late: list[float] = []
        with closing(Decoders(logging.getLogger("bench"))) as decoders:
            decoders.probe(path, path.name)  # starts the process, and imports what it needs
            (process_id,) = decoders.process_ids
            for _ in range(runs):
                timed(probed, partial(decoders.probe, path, path.name))
                timed(first, partial(_clip, decoders, path, 0))
            before = peak_bytes(process_id)
            for run in range(runs):
                start = (170 * 60 + 20 * run) * SAMPLE_RATE
                timed(late, partial(_clip, decoders, path, start))
            after = peak_bytes(process_id)
        show(f"{HOURS} h mp3, {name}: probed", probed, 50)
        show(f"{HOURS} h mp3, {name}: first clip, features", first, 200)
        show(f"{HOURS} h mp3, {name}: clip at 2:50:00, features", late)
        sys.stdout.write(f"{'  the first time':<58} {late[0]:15.1f} ms\n")
        sizes = f"{before >> 20} MiB, after the late clips {after >> 20} MiB"
        sys.stdout.write(f"{'  memory of the decoder':<58} {sizes}\n")


def _clip(decoders: Decoders, path: Path, start: int) -> None:
    clip = decoders.find_clip(path, path.name, start, 0)
    length = clip.heard_stop - clip.heard_start
    decoders.features(
        Media("audio", "", str(path), path.name, start=clip.heard_start, length=length)
    )


async def ask(chat: Chat, store: ConversationStore, item: Attachment, what: str) -> None:
    """Ask about all of a file, and show how long its media and its prompt took."""
    conversation = await store.create("bench")
    draft = Draft("What is this?", (item,))
    options = GenerationOptions(max_tokens=4)
    started = time.perf_counter()
    told: list[float] = []
    read = 0.0
    async for event in chat.reply(conversation.id, draft, parent_id=None, options=options):
        if isinstance(event, MediaProgress):
            told.append(time.perf_counter() - started)
        if isinstance(event, PrefillProgress) and not read:
            read = time.perf_counter() - started
    gaps = [b - a for a, b in zip([0.0, *told], told, strict=False)]
    line = f"{1e3 * told[-1]:9.0f} ms, progress told {len(told)} times, {1e3 * max(gaps):.0f} ms"
    sys.stdout.write(f"{what:<58} {line} apart at most\n")


async def measure_engine(folder: Path) -> None:
    """A document and a video through the real engine."""
    document, film = folder / "report.pdf", folder / "film.mp4"
    text = b"".join(
        b"BT /F 11 Tf 50 %d Td (%s) Tj ET\n" % (740 - 14 * n, b"Some words of a report. " * 4)
        for n in range(48)
    )
    document.write_bytes(documents.pdf([text] * PAGES))
    film.write_bytes(
        encoded_video("mp4", "mpeg4", range(0, 60_000, 40), group=50, sound_seconds=60.0)
    )
    database = await Database.open(None)
    engine = EngineClient(folder / "engine.log")
    try:
        await engine.load(builtin_model())
        store = ConversationStore(database)
        chat = Chat(store, BlobStore(folder / "blobs"), engine)
        for path, what in ((document, f"{PAGES} pages at 70 tokens"), (film, "a video of 60 s")):
            started = time.perf_counter()
            item = await chat.attach(path)
            sys.stdout.write(
                f"{what + ': attached':<58} {1e3 * (time.perf_counter() - started):9.0f} ms\n"
            )
            if path == document:
                item = await chat.documents.choose(item, "all")
            await ask(chat, store, item, f"{what}: decoded and encoded, with its sound if any")
    finally:
        await engine.close()
        await database.close()


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(prog="tests.bench.media")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--reference", metavar="PYTHON", help="with transformers and torch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure_sounds(folder, options.runs)
        asyncio.run(measure_engine(folder))
    if options.reference:
        command = [sys.executable, "-m", "tests.bench.runtime", "--part", "preprocessing"]
        subprocess.run([*command, "--reference", options.reference], check=True)


if __name__ == "__main__":
    main()
