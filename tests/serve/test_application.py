"""The HTTP side with an engine that says what it is told: slow clients, crowds, defects, ends."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from gemma_tui.errors import EngineStoppedError, ModelError
from gemma_tui.options import GenerationOptions
from gemma_tui.serve import application as module
from gemma_tui.serve import disconnection
from gemma_tui.serve.access import Access
from gemma_tui.serve.answering import Answering
from gemma_tui.serve.application import Application
from gemma_tui.serve.fair_queue import FairQueue
from gemma_tui.serve.idle import IdleSuspension
from tests.scripted_engine import Hold, ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import MutableMapping

PATIENCE_SECONDS = 60.0


@dataclass
class Exchange:
    """One request, as a server hands it to an application."""

    body: bytes
    reads: bool = True
    """False is a client that takes nothing after the head of the answer."""
    messages: deque[MutableMapping[str, Any]] = field(default_factory=deque)
    leaves: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client closes its connection."""

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def text(self) -> str:
        return b"".join(item.get("body", b"") for item in self.messages).decode()

    async def run(self, application: Application) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": "POST",
            "path": "/v1/chat/completions",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1:80"), (b"authorization", b"Bearer token")],
        }
        asked = [{"type": "http.request", "body": self.body, "more_body": not self.body}]

        async def receive() -> MutableMapping[str, Any]:
            if asked:
                return asked.pop()
            await self.leaves.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            self.messages.append(message)
            if not self.reads and message["type"] == "http.response.body":
                await asyncio.Event().wait()

        async with asyncio.timeout(PATIENCE_SECONDS):
            await application.asgi(scope, receive, send)


def question(**fields: Any) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": "hello"}], **fields}).encode()


class Serving:
    """An application around a scripted engine."""

    def __init__(self, engine: ScriptedEngine, limit: int = 16, minutes: float = 0) -> None:
        self.engine, self.queue = engine, FairQueue(limit)
        self.ending = asyncio.Event()
        self.told: list[str] = []
        idle = IdleSuspension(engine, minutes)
        answering = Answering(engine, engine.model, self.queue, idle, GenerationOptions())
        self.application = Application(
            Access("token", 80), answering, self.ending, self.told.append
        )

    async def ask(self, body: bytes, *, reads: bool = True) -> Exchange:
        exchange = Exchange(body, reads)
        await exchange.run(self.application)
        return exchange

    async def is_free(self) -> bool:
        """Whether the next request has its turn at once."""
        async with asyncio.timeout(PATIENCE_SECONDS), self.queue.turn("next"):
            return True


async def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnection, "SLOW_CLIENT_SECONDS", 0.01)
    serving = Serving(ScriptedEngine(["Hello", Hold()]))
    await serving.ask(question(stream=True), reads=False)
    assert serving.engine.closed_early == 1
    assert await serving.is_free()
    assert serving.told == ["given up: the client has gone, or the server ends"]


async def test_a_client_that_sends_no_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_CLIENT_SECONDS", 0.01)
    serving = Serving(ScriptedEngine())
    exchange = await serving.ask(b"")
    assert (exchange.status, "did not come in time" in exchange.text) == (408, True)
    assert serving.engine.requests == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_cancels_its_reply(*, stream: bool) -> None:
    hold = Hold()
    serving = Serving(ScriptedEngine(["Hello", hold, " there"]))
    exchange = Exchange(question(stream=stream))
    running = asyncio.create_task(exchange.run(serving.application))
    await hold.reached.wait()
    exchange.leaves.set()
    await running
    assert serving.engine.closed_early == 1
    assert await serving.is_free()


async def test_one_who_waits_and_leaves_takes_no_turn() -> None:
    hold = Hold()
    serving = Serving(ScriptedEngine([hold, "one"], ["two"]))
    first, second = Exchange(question(user="a")), Exchange(question(user="b"))
    running = [asyncio.create_task(item.run(serving.application)) for item in (first, second)]
    await hold.reached.wait()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not serving.queue.waiting:  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0)
    second.leaves.set()
    await running[1]
    hold.release()
    await running[0]
    assert "one" in first.text
    assert len(serving.engine.requests) == 1


async def test_a_crowd_is_told_to_come_back() -> None:
    hold = Hold()
    serving = Serving(ScriptedEngine([hold, "one"]), limit=0)
    first = Exchange(question())
    running = asyncio.create_task(first.run(serving.application))
    await hold.reached.wait()
    refused = await serving.ask(question(stream=True))
    assert refused.status == 429
    assert json.loads(refused.text)["error"]["type"] == "rate_limit_error"
    hold.release()
    await running
    assert first.status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_the_end_of_the_server_is_told_to_who_waits(*, stream: bool) -> None:
    hold = Hold()
    serving = Serving(ScriptedEngine(["Hello", hold]))
    exchange = Exchange(question(stream=stream))
    running = asyncio.create_task(exchange.run(serving.application))
    await hold.reached.wait()
    serving.ending.set()
    await running
    assert exchange.status == (200 if stream else 503)
    assert "The server ends." in exchange.text
    assert "[DONE]" not in exchange.text
    assert serving.engine.closed_early == 1


async def test_an_engine_that_dies_within_a_stream_ends_it_with_an_error() -> None:
    died = EngineStoppedError("The engine process stopped.", "Ask again.")
    serving = Serving(ScriptedEngine(["Hello", died]))
    exchange = await serving.ask(question(stream=True))
    pieces = [json.loads(line[6:]) for line in exchange.text.split("\n\n") if line]
    assert pieces[-1]["error"]["type"] == "server_error"
    assert "stopped" in pieces[-1]["error"]["message"]
    whole = await Serving(ScriptedEngine([died])).ask(question())
    assert (whole.status, json.loads(whole.text)["error"]["code"]) == (500, "engine_error")


async def test_a_model_that_cannot_be_loaded_again_is_no_fault_of_the_request() -> None:
    broken = ModelError("The folder is gone.", "Bring it back.")
    exchange = await Serving(ScriptedEngine([broken])).ask(question())
    assert (exchange.status, json.loads(exchange.text)["error"]["code"]) == (503, "model_not_ready")


async def test_memory_is_freed_when_nobody_asks_and_the_next_request_is_answered() -> None:
    engine = ScriptedEngine(["one"], ["two"])
    suspended = asyncio.Event()
    engine.watch(lambda state: suspended.set() if state.phase == "unloaded" else None)
    serving = Serving(engine, minutes=1e-6)
    for said in ("one", "two"):
        assert said in (await serving.ask(question())).text
        async with asyncio.timeout(PATIENCE_SECONDS):
            await suspended.wait()
        suspended.clear()


async def test_a_defect_is_an_error_of_the_api_and_nothing_is_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serving = Serving(ScriptedEngine())
    monkeypatch.setattr(module, "read_chat_request", lambda *_: 1 / 0)
    exchange = Exchange(question())
    with pytest.raises(ZeroDivisionError):
        await exchange.run(serving.application)
    assert (exchange.status, json.loads(exchange.text)["error"]["code"]) == (500, "engine_error")


async def test_what_is_told_has_no_word_of_the_texts() -> None:
    serving = Serving(ScriptedEngine(["a secret answer"]))
    exchange = await serving.ask(question())
    assert "a secret answer" in exchange.text
    assert serving.told == ["answered: 12 tokens read (0 known), 3 written, stop"]
