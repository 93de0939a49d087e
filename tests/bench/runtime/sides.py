"""The two ways to reach a side: the whole program in this process, and others through a pipe."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gemma_tui.chat import Chat
from gemma_tui.conversation import Draft
from gemma_tui.engine.client import EngineClient
from gemma_tui.engine.process import worker_command
from gemma_tui.generation import Finished, TextDelta
from gemma_tui.options import GenerationOptions, SamplingOptions
from gemma_tui.storage.blobs import BlobStore
from gemma_tui.storage.conversations import ConversationStore
from gemma_tui.storage.database import Database
from tests.bench.startup import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

ROOT = Path(__file__).parents[3]

SETTLE_SECONDS = 0.3
"""Threads of a matrix library look for more work for a while, on a core that the next side needs."""


class Child:
    """Another runtime, warm in a process of its own.

    Args:
        python: The interpreter that has it.
        module: One of the `serve_…` modules beside this.
        arguments: Its command line.
        environment: What it has beside ours.
    """

    def __init__(
        self,
        python: str,
        module: str,
        *arguments: str,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._process = subprocess.Popen(
            [python, "-m", f"tests.bench.runtime.{module}", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        """What it measured, once the side before it has come to rest."""
        time.sleep(SETTLE_SECONDS)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise SystemExit(f"{self._process.args!r} ended: {self._process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class WholePath:
    """`Chat.reply` with a real store and a real engine process; greedy.

    Args:
        home: Empty.
        folder: Of the model.
        cache: What an engine that has run before has left.
    """

    def __init__(self, home: Path, folder: Path, cache: Path) -> None:
        self._home, self._folder = home, folder
        log = home / "engine.log"
        self._engine = EngineClient(log, command=worker_command(log, cache))

    async def __aenter__(self) -> Self:
        self._database = await Database.open(self._home / "conversations.db")
        self._store = ConversationStore(self._database)
        self._chat = Chat(self._store, BlobStore(self._home / "blobs"), self._engine)
        await self._engine.load(self._folder)
        self._pid = (await self._engine.status()).process_id
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._engine.close()
        await self._database.close()

    async def generate(
        self, text: str, count: int, images: Sequence[Path] = (), budget: int = 280
    ) -> dict[str, Any]:
        """Seconds to the first visible text, and seconds a token from there to the stored reply."""
        conversation = await self._store.create("")
        attached = [await self._chat.attach(path, token_budget=budget) for path in images]
        options = GenerationOptions(SamplingOptions(temperature=0), max_tokens=count)
        await asyncio.sleep(SETTLE_SECONDS)
        watch, seen, first, usage = self._times(), 0, {"wall": 0.0, "cpu": 0.0}, None
        async for event in self._chat.reply(
            conversation.id, Draft(text, tuple(attached)), parent_id=None, options=options
        ):
            if isinstance(event, TextDelta) and not seen:
                now = self._times()
                first = {name: now[name] - watch[name] for name in now}
                watch, seen = now, event.token_count
            elif isinstance(event, Finished):
                usage = event.usage
        now = self._times()
        assert usage
        following = usage.generated_tokens - seen
        return {
            "first": first,
            "step": {name: (now[name] - watch[name]) / following for name in now},
            "peak": usage.peak_memory_bytes,
            "prompt": usage.prompt_tokens,
        }

    def _times(self) -> dict[str, float]:
        cpu = time.process_time() + cpu_seconds(self._pid)
        return {"wall": time.perf_counter(), "cpu": cpu}
