"""A server on loopback that says what a test tells it to say, byte for byte."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from queue import Queue
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

CRLF = "\r\n"


@dataclass(slots=True)
class Pause:
    """A place in an answer where it waits until the test calls `release`, or for the client."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()


Piece: TypeAlias = bytes | Pause
Answer: TypeAlias = "list[Piece]"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class ScriptedServer:
    """Answers by path; a path that has no answer is not found."""

    port: int = 0
    answers: dict[str, Callable[[Request], Answer]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has closed its connection during a `Pause`."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def bodies(self) -> list[Any]:
        """Of the questions."""
        return [r.body for r in self.requests if r.path == "/v1/chat/completions"]

    def reply(self, *answers: Answer) -> None:
        """Answer questions with these, the last one again and again."""
        waiting = list(answers)
        self.answers["/v1/chat/completions"] = lambda _: (
            waiting.pop(0) if len(waiting) > 1 else waiting[0]
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self.tasks.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read(reader)
        self.requests.append(request)
        answer = self.answers.get(request.path, _not_found)
        for piece in answer(request):
            if isinstance(piece, Pause):
                piece.reached.set()
                await self._wait(piece, reader)
            else:
                writer.write(piece)
                await writer.drain()

    async def _wait(self, pause: Pause, reader: asyncio.StreamReader) -> None:
        gone = asyncio.ensure_future(reader.read(1))
        released = asyncio.ensure_future(pause.released.wait())
        await asyncio.wait({gone, released}, return_when=asyncio.FIRST_COMPLETED)
        released.cancel()
        if gone.done():
            self.hung_up.set()
            raise ConnectionResetError
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


def _not_found(_request: Request) -> Answer:
    return [response(404, b"not found")]


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split(CRLF)
    method, path, _ = first.split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    data = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(data) if data else None)


@asynccontextmanager
async def scripted_server(*, models: Any = None) -> AsyncIterator[ScriptedServer]:
    """A server that has one model, `gemma`, until the test ends."""
    server = ScriptedServer()
    listing = {"data": [{"id": "gemma"}]} if models is None else models
    server.answers["/v1/models"] = lambda _: [json_response(listing)]
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tuple(server.tasks):
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)


@contextmanager
def serving() -> Iterator[ScriptedServer]:
    """The same in a thread of its own, for a test that waits for another process."""
    ready: Queue[tuple[ScriptedServer, asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def serve() -> None:
        async with scripted_server() as server:
            stop = asyncio.Event()
            ready.put((server, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    server, loop, stop = ready.get(timeout=60)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def response(
    status: int,
    body: bytes,
    kind: str = "text/plain",
    *,
    length: int | None = None,
    extra: str = "",
) -> bytes:
    """A whole answer; `length` is what the header claims."""
    count = len(body) if length is None else length
    head = f"HTTP/1.1 {status} X{CRLF}Content-Type: {kind}{CRLF}Content-Length: {count}{CRLF}"
    return f"{head}{extra}Connection: close{CRLF}{CRLF}".encode() + body


def json_response(content: Any, status: int = 200) -> bytes:
    return response(status, json.dumps(content).encode(), "application/json")


STREAM = (
    f"HTTP/1.1 200 OK{CRLF}Content-Type: text/event-stream; charset=utf-8{CRLF}"
    f"Connection: close{CRLF}{CRLF}"
).encode()
"""The head of a streamed reply; its end is the end of the connection."""

DONE = b"data: [DONE]\n\n"


def chunk(delta: Any = None, *, reason: str | None = None, **more: Any) -> bytes:
    """One event of a reply."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": reason}
    return f"data: {json.dumps({'choices': [choice], **more})}\n\n".encode()


def said(*texts: str, reason: str = "stop") -> Answer:
    """A whole streamed reply."""
    usage = {"prompt_tokens": 11, "completion_tokens": len(texts)}
    end = f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n".encode()
    return [STREAM, *(chunk({"content": text}) for text in texts), chunk(reason=reason), end, DONE]
