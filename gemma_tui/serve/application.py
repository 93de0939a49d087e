"""The HTTP side: which path does what, and what every request has to pass before."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gemma_tui.errors import ApiRequestError, EngineError, GemmaError
from gemma_tui.generation import MediaProgress, PrefillProgress
from gemma_tui.sanitize import sanitize_line
from gemma_tui.serve.answering import model_id
from gemma_tui.serve.chat_request import read_chat_request
from gemma_tui.serve.disconnection import (
    SLOW_CLIENT_SECONDS,
    ClientGoneError,
    EventStream,
    unless_gone,
)
from gemma_tui.serve.reply_format import STREAM_END, Reply, error_object, server_event

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from starlette.requests import Request

    from gemma_tui.generation import GenerationEvent
    from gemma_tui.serve.access import Access
    from gemma_tui.serve.answering import Answering
    from gemma_tui.serve.chat_request import ChatRequest
    from gemma_tui.tool_call import JsonValue

MAX_BODY_BYTES: Final = 64 << 20
"""A dozen photographs, or half an hour of sound."""

_GONE: Final = 499
"""What nginx calls a client that closed its connection; nobody reads it."""


class Application:
    """Three paths: chat completions, the list of models, and whether the server is well.

    Args:
        access: Judges who asks.
        answering: Answers.
        ending: Set when the server is to end.
        tell: Takes a line about each request that was answered; never a word of its texts.
    """

    def __init__(
        self,
        access: Access,
        answering: Answering,
        ending: asyncio.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._access = access
        self._answering = answering
        self._ending = ending
        self._tell = tell
        self.asgi = Starlette(
            routes=[
                Route("/health", self._guarded(self._health, needs_token=False), methods=["GET"]),
                Route("/v1/models", self._guarded(self._models), methods=["GET"]),
                Route("/v1/chat/completions", self._guarded(self._chat), methods=["POST"]),
            ],
            exception_handlers={404: _no_such_path, 405: _no_such_path, 500: _defect},
        )
        """What a server of ASGI applications runs."""

    def _guarded(
        self, answer: Callable[[Request], Awaitable[Response]], *, needs_token: bool = True
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            try:
                self._access.check_origin(request.headers)
                if needs_token:
                    self._access.check_token(request.headers)
                return await answer(request)
            except ClientGoneError:
                self._tell("given up: the client has gone")
                return Response(status_code=_GONE)
            except GemmaError as error:
                self._tell(f"refused: {type(error).__name__}")
                return _failed(error)

        return guarded

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _models(self, _request: Request) -> Response:
        info = self._answering.model
        model = {
            "id": model_id(info),
            "object": "model",
            "created": 0,
            "owned_by": "local",
            "context_length": info.context_length,
            "input_modalities": [
                *("text",),
                *(("image",) if info.can_see else ()),
                *(("audio",) if info.can_hear else ()),
            ],
        }
        return JSONResponse({"object": "list", "data": [model]})

    async def _chat(self, request: Request) -> Response:
        asked = read_chat_request(await _read_json(request), self._answering.defaults)
        self._answering.check_model(asked.model)
        client = asked.client or request.headers.get("user-agent", "")
        reply = Reply(model_id(self._answering.model))
        events = self._answering.events(asked, client)
        if not asked.streams:
            async with aclosing(events):
                await unless_gone(request.receive, self._ending, _collect(events, reply))
            self._tell(_summary(reply))
            return JSONResponse(reply.completion())
        try:
            # What can be wrong with a prompt shows before its first event: then there is a status.
            first = await unless_gone(request.receive, self._ending, anext(events))
        except BaseException:
            await events.aclose()
            raise
        return EventStream(self._stream(first, events, reply, asked), self._ending)

    async def _stream(
        self,
        event: GenerationEvent,
        events: AsyncGenerator[GenerationEvent, None],
        reply: Reply,
        asked: ChatRequest,
    ) -> AsyncGenerator[bytes, None]:
        """The pieces of a stream; an error within ends it, as an object of its own."""
        outcome = "given up: the client has gone, or the server ends"
        async with aclosing(events):
            try:
                yield reply.chunk({"role": "assistant", "content": ""})
                yield _piece(event, reply)
                async for later in events:
                    yield _piece(later, reply)
                outcome = _summary(reply)
            except GemmaError as error:
                outcome = f"failed: {type(error).__name__}"
                yield server_event(error_object(error)[1])
                return
            finally:
                self._tell(outcome)
        yield reply.chunk({})
        if asked.includes_usage:
            yield reply.usage_chunk()
        yield STREAM_END


async def _collect(events: AsyncGenerator[GenerationEvent, None], reply: Reply) -> None:
    async for event in events:
        reply.take(event)


def _piece(event: GenerationEvent, reply: Reply) -> bytes:
    """A chunk; a comment for progress, which shows that the server lives; nothing for the rest."""
    match event:
        case PrefillProgress(done=done, total=total):
            return f": reading the prompt, {done} of {total} tokens\n\n".encode()
        case MediaProgress(done=done, total=total):
            return f": looking at attachments, {done} of {total}\n\n".encode()
    delta = reply.take(event)
    return reply.chunk(delta) if delta else b""


def _summary(reply: Reply) -> str:
    usage, details = reply.usage, reply.usage.get("prompt_tokens_details")
    cached = details["cached_tokens"] if isinstance(details, dict) else 0
    return (
        f"answered: {usage.get('prompt_tokens', 0)} tokens read ({cached} known),"
        f" {usage.get('completion_tokens', 0)} written, {reply.finish_reason}"
    )


async def _read_json(request: Request) -> JsonValue:
    """The body of a request, within bounds of size and time.

    Raises:
        ApiRequestError: It is too large, too slow, or no JSON.
        ClientGoneError: The client went away within it.
    """
    body = bytearray()
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        raise _too_large()
    while True:
        try:
            async with asyncio.timeout(SLOW_CLIENT_SECONDS):
                message = await request.receive()
        except TimeoutError:
            slow = "The rest of the request did not come in time."
            raise ApiRequestError(slow, "Send it again.", status=408, code="timeout") from None
        if message["type"] != "http.request":
            raise ClientGoneError
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            break
    try:
        content: JsonValue = json.loads(bytes(body))
    except (ValueError, RecursionError) as error:
        raise ApiRequestError("The body of the request is no JSON.", code="invalid_json") from error
    return content


def _too_large() -> ApiRequestError:
    message = f"The request is larger than {MAX_BODY_BYTES >> 20} MiB."
    hint = "Send fewer or smaller files."
    return ApiRequestError(message, hint, status=413, code="request_too_large")


def _failed(error: GemmaError) -> JSONResponse:
    status, content = error_object(error)
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(content, status, headers)


async def _defect(_request: Request, _error: Exception) -> Response:
    """An error nobody foresaw; the server writes it to its standard error as well."""
    return _failed(EngineError("Something went wrong in the server.", "Its output says what."))


async def _no_such_path(request: Request, _error: Exception) -> Response:
    message = f"{request.method} {sanitize_line(request.url.path)} is not served here."
    hint = "There are POST /v1/chat/completions, GET /v1/models and GET /health."
    return _failed(ApiRequestError(message, hint, status=404, code="not_found"))
