"""`RemoteModel`: a model on a server of the settings, spoken to with the OpenAI chat API.

It writes replies and nothing else: files are looked into on this machine. Which fields servers
understand is in `remote_request`, what they answer in `remote_reply`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gemma_tui.conversation import Usage
from gemma_tui.engine.remote_errors import cut_off, too_slow
from gemma_tui.engine.remote_http import EVENT_STREAM, RemoteHttp
from gemma_tui.engine.remote_info import ask_further, choose_model, model_info
from gemma_tui.engine.remote_media import RemoteMedia
from gemma_tui.engine.remote_reply import RemoteReply
from gemma_tui.engine.remote_request import body_variants, chat_body
from gemma_tui.engine.remote_size import estimate_size, fit
from gemma_tui.engine.sse import Comment, EventDecoder
from gemma_tui.errors import BrokenReplyError, RefusedByServerError, UsageError
from gemma_tui.generation import Finished, MediaProgress, TextDelta, ThoughtDelta

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Iterator

    import httpx2

    from gemma_tui.engine.remote_info import RemoteModelInfo
    from gemma_tui.engine.remote_media import MediaEncoder
    from gemma_tui.generation import GenerationEvent, GenerationRequest, ModelInfo, PromptSize
    from gemma_tui.settings.servers import Server

MAX_REPLY_BYTES: Final = 64 * 1024 * 1024
"""Of all events of a reply; a server that goes on for ever is stopped there."""

_T = TypeVar("_T")


class _CancelledError(Exception):
    """The user wants no more of the reply."""


@dataclass(slots=True)
class _Clock:
    """When a reply was asked for, and when it began."""

    asked: float
    begun: float = 0.0

    def spans(self) -> tuple[float, float]:
        """Seconds until the first piece, and from there to now."""
        now = time.monotonic()
        begun = self.begun or now
        return begun - self.asked, now - begun


class RemoteModel:
    """The model of one server.

    Args:
        server: Where it is.
        key: Its key; empty for none.
        encoder: Writes the media of prompts as files.
    """

    def __init__(self, server: Server, key: str, encoder: MediaEncoder) -> None:
        self.server = server
        self._http = RemoteHttp(server, key)
        self._media = RemoteMedia(encoder, server.image_tokens)
        self._info: ModelInfo | None = None
        self.known: RemoteModelInfo | None = None
        """What the server said of its model, once it was asked."""
        self._model = server.model
        self._variant = 0  # of the body: the first that the server did not refuse
        self._replies: list[asyncio.Event] = []  # set when its reply is not wanted any more

    async def connect(self) -> ModelInfo:
        """Ask the server which model it has, and what that can do.

        Raises:
            ServerError: It cannot be reached, refuses, or has no such model.
        """
        known = choose_model(self.server, await self._http.models())
        server = self.server
        is_told = server.sees is not None and server.hears is not None
        if known.sees is None and not (is_told and (server.context or known.context)):
            known = await ask_further(known, self._http.ask)
        self.known, self._model = known, known.model
        self._info = model_info(server, known)
        return self._info

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationEvent, None]:
        """Stream one reply, ending with `Finished`. Closing it early closes the connection.

        Raises:
            GemmaError: Whatever kept the reply from being finished.
        """
        if request.reply is not None:
            raise UsageError(
                f"{self.server.name} cannot go on with a reply that was cut off.",
                "Ask it to go on, or let it answer again.",
            )
        info = self._info or await self.connect()
        stop = asyncio.Event()
        self._replies.append(stop)
        clock, reply = _Clock(time.monotonic()), RemoteReply(self.server.name)
        try:
            async with aclosing(self._write(request, info, reply, clock, stop)) as events:
                async for event in events:
                    yield event
            yield _end(reply, clock, is_cancelled=False)
        except _CancelledError:
            yield _end(reply, clock, is_cancelled=True)
        finally:
            self._replies.remove(stop)

    def cancel(self) -> None:
        """Stop the oldest running reply, if any."""
        for stop in self._replies[:1]:
            stop.set()

    def count(self, request: GenerationRequest, info: ModelInfo) -> PromptSize:
        """What a prompt would take of the context of `info`, by estimate."""
        return estimate_size(request, info.context_length, self.server.image_tokens)

    async def close(self) -> None:
        """End every connection."""
        for stop in self._replies:
            stop.set()
        await self._http.close()

    async def _write(
        self,
        request: GenerationRequest,
        info: ModelInfo,
        reply: RemoteReply,
        clock: _Clock,
        stop: asyncio.Event,
    ) -> AsyncGenerator[GenerationEvent, None]:
        request, left_out = fit(request, info.context_length, self.server.image_tokens)
        if left_out is not None:
            yield left_out
        async with aclosing(self._media.encode_all(request.media)) as steps:
            async for done, total in steps:
                _stop_if(stop)
                yield MediaProgress(done, total)
        body = chat_body(request, self._model, self._media.found)
        first = self.server.first_byte_seconds
        response = await self._within(self._begin(body), first, stop, has_begun=False)
        try:
            async with aclosing(self._read(response, clock, stop)) as texts:
                async for data in texts:
                    for event in _merged(e for text in data for e in reply.add(text)):
                        yield event
                    if reply.is_done:
                        break
            if not reply.is_complete:
                raise cut_off(self.server)
            for event in reply.finish():
                yield event
        except _CancelledError:
            for event in reply.finish():
                yield event
            raise
        finally:
            await response.aclose()

    async def _begin(self, body: dict[str, Any]) -> httpx2.Response:
        """Ask; a server that refuses is asked again without what only some understand."""
        variants = body_variants(body)
        for number in range(self._variant, len(variants)):
            try:
                response = await self._http.begin_reply(variants[number])
            except RefusedByServerError as error:
                if error.status not in {400, 422} or number == len(variants) - 1:
                    raise
            else:
                self._variant = number
                return response
        raise AssertionError("the last variant is answered or refused")

    async def _read(
        self, response: httpx2.Response, clock: _Clock, stop: asyncio.Event
    ) -> AsyncGenerator[list[str | Comment], None]:
        """The data of the events of a reply, as many at a time as have come."""
        if EVENT_STREAM not in response.headers.get("content-type", ""):
            whole = self._http.whole_reply(response)
            first = self.server.first_byte_seconds
            yield [await self._within(whole, first, stop, has_begun=False)]
            return
        decoder, length = EventDecoder(), 0
        async with aclosing(self._http.pieces(response)) as pieces:
            while piece := await self._next(pieces, clock, stop):
                length += len(piece)
                if length > MAX_REPLY_BYTES:
                    raise BrokenReplyError(
                        f"{self.server.name} does not end its reply:"
                        f" it sent more than {MAX_REPLY_BYTES >> 20} MB."
                    )
                if data := [self._http.without_key(item) for item in decoder.feed(piece)]:
                    if any(isinstance(item, str) for item in data):
                        clock.begun = clock.begun or time.monotonic()
                    yield data
        yield list(decoder.finish())

    async def _next(
        self, pieces: AsyncIterator[bytes], clock: _Clock, stop: asyncio.Event
    ) -> bytes:
        """The next piece; empty at the end."""
        has_begun = clock.begun > 0
        server = self.server
        seconds = server.idle_seconds if has_begun else server.first_byte_seconds
        return await self._within(_take(pieces), seconds, stop, has_begun=has_begun)

    async def _within(
        self,
        work: Coroutine[Any, Any, _T],
        seconds: float,
        stop: asyncio.Event,
        *,
        has_begun: bool,
    ) -> _T:
        """What `work` returns, unless it takes too long or is not wanted any more."""
        task = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait(
                {task, stopping}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            _stop_if(stop)
            if not task.done():
                raise too_slow(self.server, seconds, has_begun=has_begun)
            return task.result()
        finally:
            stopping.cancel()
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task


async def _take(pieces: AsyncIterator[bytes]) -> bytes:
    async for piece in pieces:
        if piece:
            return piece
    return b""


def _stop_if(stop: asyncio.Event) -> None:
    if stop.is_set():
        raise _CancelledError


def _end(reply: RemoteReply, clock: _Clock, *, is_cancelled: bool) -> Finished:
    prefill, decode = clock.spans()
    finished = reply.finished(is_cancelled=is_cancelled, prefill=prefill, decode=decode)
    if is_cancelled and not clock.begun:
        return replace(finished, usage=Usage())
    return finished


def _merged(events: Iterable[GenerationEvent]) -> Iterator[GenerationEvent]:
    """Neighbouring text as one event: what came together is shown together."""
    for kind, group in groupby(events, type):
        together = tuple(group)
        if kind is TextDelta or kind is ThoughtDelta:
            words = [event for event in together if isinstance(event, TextDelta | ThoughtDelta)]
            yield replace(words[-1], text="".join(event.text for event in words))
        else:
            yield from together
