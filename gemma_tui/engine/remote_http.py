"""The one way to a server of the settings: HTTP that goes nowhere else, with errors in words.

Redirects are not followed, so that neither text nor key reaches a host nobody named; a server of
this machine or of a private network is spoken to without the system's proxy. httpx2 is what
huggingface_hub uses, too, and is imported when the first server is asked.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from gemma_tui import __version__, network
from gemma_tui.engine.remote_errors import cut_off, refusal, too_slow, unreachable
from gemma_tui.engine.remote_request import json_bytes
from gemma_tui.errors import BrokenReplyError, GemmaError, ServerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx2

    from gemma_tui.engine.sse import Comment
    from gemma_tui.settings.servers import Server

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Of an answer in one piece: a list of models, or a reply of a server that does not stream."""

MAX_REFUSAL_BYTES: Final = 64 * 1024
"""Of what a server says when it refuses."""

ANSWER_SECONDS: Final = 15.0
"""For what is no reply."""

_Said = TypeVar("_Said", str, "str | Comment")

JSON: Final = {"Content-Type": "application/json"}

EVENT_STREAM: Final = "text/event-stream"


class RemoteHttp:
    """Requests to one server.

    Args:
        server: Where it is, and how long it may take.
        key: Its key; empty for none.
    """

    def __init__(self, server: Server, key: str) -> None:
        self._server = server
        self._key = key
        self._client: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        """End every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def models(self) -> Any:  # noqa: ANN401  # JSON is any of these
        """What `GET /v1/models` says; None if the server has no such address.

        Raises:
            ServerError: It cannot be reached, or refuses.
        """
        try:
            async with asyncio.timeout(self._server.connect_seconds + ANSWER_SECONDS):
                response = await self._send("GET", f"{self._server.base_url}/models", None)
                if response.status_code in {404, 405, 501} and self._server.model:
                    await response.aclose()
                    return None
                if response.status_code != 200:
                    raise await self._refusal(response, "")
                body = await self._body(response, MAX_ANSWER_BYTES)
        except TimeoutError as error:
            raise too_slow(self._server, ANSWER_SECONDS, has_begun=False) from error
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            if self._server.model:  # whether it is there, the first question tells
                return None
            raise self._no_list(response, body) from None

    async def ask(self, path: str, body: dict[str, Any] | None) -> Any:  # noqa: ANN401  # as above
        """What an address says that not every server has; None if it has not.

        Args:
            path: Below the server itself.
            body: JSON to post; None gets.
        """
        method = "GET" if body is None else "POST"
        with suppress(GemmaError, TimeoutError, ValueError, RecursionError):
            async with asyncio.timeout(ANSWER_SECONDS):
                content = None if body is None else json.dumps(body).encode()
                response = await self._send(method, f"{self._server.root_url}{path}", content)
                if response.status_code == 200:
                    return json.loads(await self._body(response, MAX_ANSWER_BYTES))
                await response.aclose()
        return None

    async def begin_reply(self, body: dict[str, Any]) -> httpx2.Response:
        """Ask for a reply; returns once the server has taken the question.

        Raises:
            GemmaError: It cannot be reached, or refuses.
        """
        url = f"{self._server.base_url}/chat/completions"
        response = await self._send("POST", url, json_bytes(body))
        if response.status_code == 200:
            return response
        raise await self._refusal(response, str(body["model"]))

    async def pieces(self, response: httpx2.Response) -> AsyncGenerator[bytes, None]:
        """The pieces of a streamed reply, as they come; ends where the server ends it.

        Raises:
            BrokenReplyError: The connection ended before.
        """
        import httpx2  # noqa: PLC0415  # it is there: this is its response

        try:
            async for piece in response.aiter_bytes():
                yield piece
        except httpx2.HTTPError as error:
            raise cut_off(self._server) from error

    async def whole_reply(self, response: httpx2.Response) -> str:
        """A reply in one piece, of a server that does not stream.

        Raises:
            BrokenReplyError: It is no reply.
        """
        body = await self._body(response, MAX_ANSWER_BYTES)
        if not body.lstrip().startswith(b"{"):
            raise self._no_api(response, body)
        return body.decode("utf-8", "replace")

    async def _send(self, method: str, url: str, content: bytes | None) -> httpx2.Response:
        import httpx2  # noqa: PLC0415  # nobody needs it before a server is chosen

        if self._client is None:
            # The store of certificates is read from the disk.
            self._client = await asyncio.to_thread(self._open_client)
        try:
            request = self._client.build_request(method, url, content=content, headers=JSON)
            with network.allowed("server", connected_host(self._server)):
                return await self._client.send(request, stream=True)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise unreachable(self._server, error) from error

    def _open_client(self) -> httpx2.AsyncClient:
        import httpx2  # noqa: PLC0415  # see above

        headers = {"User-Agent": f"gemma-tui/{__version__}", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return httpx2.AsyncClient(
            headers=headers,
            # Reading is timed by whoever reads, who can tell a reply that begins from the rest.
            timeout=httpx2.Timeout(None, connect=self._server.connect_seconds),
            follow_redirects=False,
            trust_env=not self._server.is_private,
        )

    async def _body(self, response: httpx2.Response, limit: int) -> bytes:
        """All of an answer, up to a limit.

        Raises:
            BrokenReplyError: It is longer, or ended in the middle.
        """
        found = bytearray()
        try:
            async for piece in self.pieces(response):
                found += piece
                if len(found) > limit:
                    name = self._server.name
                    raise BrokenReplyError(f"{name} answered with more than {limit >> 20} MB.")
        finally:
            await response.aclose()
        return bytes(found)

    async def _refusal(self, response: httpx2.Response, model: str) -> GemmaError:
        """The error of an answer that is none, without the key if the server repeats it."""
        body = b""
        with suppress(ServerError, TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                body = await self._body(response, MAX_REFUSAL_BYTES)
        body = self.without_key(body.decode("utf-8", "replace")).encode()
        kind = response.headers.get("content-type", "")
        return refusal(self._server, response.status_code, body, kind, model)

    def without_key(self, text: _Said) -> _Said:
        """A server's own words, in which the key must not be; nobody is shown a comment."""
        return text.replace(self._key, "…") if self._key and isinstance(text, str) else text

    def _no_list(self, response: httpx2.Response, body: bytes) -> GemmaError:
        if body.strip():
            return self._no_api(response, body)
        name = self._server.name  # mlx-lm's server does so where it finds no cache of models
        return BrokenReplyError(
            f"{name} answered with nothing where a list of its models was expected.",
            f"Name its model: model = … in [servers.{name}] of the settings.",
        )

    def _no_api(self, response: httpx2.Response, body: bytes) -> GemmaError:
        kind = response.headers.get("content-type", "")
        return refusal(self._server, response.status_code, body, kind, "")


def connected_host(server: Server) -> str:
    """Whom a request connects to: the server, or the proxy of the environment before it."""
    proxies = {} if server.is_private else getproxies()
    proxy = proxies.get(urlsplit(server.url).scheme) or proxies.get("all")
    if not proxy or proxy_bypass(server.host):
        return server.host
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or server.host
