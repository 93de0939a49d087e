"""Kills a process that streams a reply into the store, again and again; prints one line a trial.

Run as `python -m tests.chat.kill_trials DATABASE COUNT SEED`. Every trial is a fork of this process
(whose imports are done) with a conversation of its own. It tells every piece of text that
`Chat.reply` hands out and every flush that is done, and is killed after a random number of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.chat import Chat
from gemma_tui.conversation import Draft
from gemma_tui.generation import GenerationEvent, TextDelta
from gemma_tui.options import GenerationOptions
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.scripted_engine import ScriptedEngine, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.conversation import Part

TOLD = struct.Struct("=cdI")
HANDED_OUT, FLUSHED = b"h", b"f"
WORDS = "".join(f"word{number} " for number in range(100_000))


class TellingStore(ConversationStore):
    """Tells when a flush is done."""

    def __init__(self, database: Database, pipe: int) -> None:
        super().__init__(database)
        self._pipe = pipe

    async def update_streaming(
        self, message_id: int, parts: Sequence[Part], token_ids: Sequence[int] = ()
    ) -> None:
        length = sum(len(part.text) for part in parts if hasattr(part, "text"))
        await super().update_streaming(message_id, parts, token_ids)
        tell(self._pipe, FLUSHED, length)


class PacedEngine(ScriptedEngine):
    """About a thousand pieces a second, for ever."""

    def __init__(self) -> None:
        super().__init__([WORDS[start : start + 7] for start in range(0, len(WORDS), 7)])

    async def _perform(self, step: Step) -> GenerationEvent | None:
        await asyncio.sleep(0.001)
        return await super()._perform(step)


def tell(pipe: int, kind: bytes, length: int) -> None:
    os.write(pipe, TOLD.pack(kind, time.monotonic(), length))


async def stream(path: Path, title: str, pipe: int) -> None:
    database = await Database.open(path)
    store = TellingStore(database, pipe)
    chat = Chat(store, BlobStore(path.parent / "blobs"), PacedEngine())
    conversation = await store.create(title)
    length = 0
    options = GenerationOptions()
    async for event in chat.reply(conversation.id, Draft("go"), parent_id=None, options=options):
        if isinstance(event, TextDelta):
            length += len(event.text)
            tell(pipe, HANDED_OUT, length)


def trial(path: Path, title: str, count: int) -> dict[str, object]:
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        asyncio.run(stream(path, title, into))
        os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        told = [TOLD.unpack(pipe.read(TOLD.size)) for _ in range(count)]
        os.kill(child, signal.SIGKILL)
        killed_at = time.monotonic()
        while len(rest := pipe.read(TOLD.size)) == TOLD.size:
            told.append(TOLD.unpack(rest))
    _, status = os.waitpid(child, 0)
    handed_out = [(when, length) for kind, when, length in told if kind == HANDED_OUT]
    flushed = [length for kind, _, length in told if kind == FLUSHED]
    return {
        "title": title,
        "signal": os.WTERMSIG(status),
        "killed_at": killed_at,
        "handed_out": handed_out,
        "flushed": max(flushed, default=0),
    }


def main() -> None:
    path, count, seed = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    chance = random.Random(seed)
    for number in range(count):
        sys.stdout.write(json.dumps(trial(path, f"trial {number}", chance.randint(1, 80))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
