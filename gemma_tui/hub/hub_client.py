"""Speaks the hub's HTTP: what a repository holds, and stretches of its files.

Sends a name and a version of this program, the repository and file that are asked for, and the
user's token if there is one: to the hub alone, never to a host that it leads to. Knows no disk.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from gemma_tui import __version__, network
from gemma_tui.errors import DownloadError, UsageError
from gemma_tui.hub.hub_faults import (
    TransientFault,
    ignored_range,
    intercepted,
    reason_of,
    status_fault,
    unreachable,
)
from gemma_tui.hub.listing import read_listing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from types import TracebackType

    from gemma_tui.hub.download_events import Patience
    from gemma_tui.hub.listing import RepoFile, RepoListing

_MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_MAX_HOPS: Final = 5
_MAX_WHOLE_BYTES: Final = 64 * 1024 * 1024
"""A file up to this size may come whole where a stretch of it was asked for."""

_CDN_HOSTS: Final = re.compile(
    r"(.+\.)?(hf\.co|huggingface\.co)|hf-hub-lfs-[a-z0-9.-]+\.amazonaws\.com"
)
"""Where huggingface.co and its mirrors lead to for large files."""

_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(slots=True)
class _Address:
    """Where a request goes next."""

    url: httpx2.URL
    is_cached: bool = False


class HubClient:
    """Requests to one hub; a context.

    Args:
        endpoint: Its address.
        token: The user's; empty if there is none.
        patience: How long a connection may bring nothing.
        connections: The most at once.

    Raises:
        UsageError: The address, or that of a proxy, is none.
    """

    def __init__(self, endpoint: str, token: str, patience: Patience, connections: int = 4) -> None:
        self._patience = patience
        self._leads_to: dict[str, httpx2.URL] = {}
        try:
            self._endpoint = httpx2.URL(endpoint)
            self._client = httpx2.AsyncClient(
                headers={"User-Agent": f"gemma-tui/{__version__}", "Accept-Encoding": "identity"},
                timeout=httpx2.Timeout(patience.stall_seconds, pool=None),
                limits=httpx2.Limits(max_connections=connections + 1),
                follow_redirects=False,
            )
        except (ValueError, ImportError, httpx2.InvalidURL) as error:
            raise UsageError(
                f"The address of the hub or of a proxy cannot be used ({error}).",
                "Check HF_ENDPOINT, HTTPS_PROXY and ALL_PROXY.",
            ) from error
        if self._endpoint.scheme not in {"http", "https"} or not self._endpoint.host:
            raise UsageError(
                f"“{endpoint}” is no address of a hub.", "HF_ENDPOINT looks like https://host."
            )
        self._token = token if is_private(self._endpoint) else ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    @property
    def host(self) -> str:
        """The hub's name, for people."""
        return self._endpoint.host

    async def listing(self, repo: str, revision: str) -> RepoListing:
        """What a repository holds.

        Raises:
            DownloadError: There is no such thing, or no model in it.
            TransientFault: No answer, or not from a hub.
        """
        path = f"/api/models/{repo}/revision/{quote(revision, safe='')}?blobs=true"
        what = repo if revision == "main" else f"{repo} at {revision}"
        try:
            async with (
                asyncio.timeout(4 * self._patience.stall_seconds),
                self._answer(_Address(self._url(path)), what, {}) as answer,
            ):
                body = b""
                async for data in _chunks(answer):
                    body += data
                    if len(body) > _MAX_ANSWER_BYTES:
                        raise DownloadError(f"{what} has a listing without end.")
        except TimeoutError as error:
            raise unreachable(self.host, "it takes too long") from error
        try:
            return read_listing(repo, json.loads(body))
        except (ValueError, RecursionError) as error:
            raise intercepted(self.host, "with a web page") from error

    async def stretch(
        self, listing: RepoListing, file: RepoFile, start: int, end: int
    ) -> AsyncGenerator[bytes, None]:
        """Bytes `start` to `end` (exclusive) of a file, as they come; may end early.

        Raises:
            DownloadError: The hub refuses, or sends something else.
            TransientFault: The connection broke off, or something in between answered.
        """
        known = self._leads_to.get(file.digest)
        path = f"/{listing.repo}/resolve/{listing.commit}/{quote(file.name)}"
        address = _Address(known or self._url(path), is_cached=known is not None)
        headers = {"Range": f"bytes={start}-{end - 1}"}
        try:
            async with self._answer(address, f"{file.name} of {listing.repo}", headers) as answer:
                if "/resolve/" not in address.url.path:  # it led to where the file is kept
                    self._leads_to[file.digest] = address.url
                skipped = self._check(answer, file, start, end)
                left = end - start
                async for data in _chunks(answer):
                    kept = data[skipped:][:left]
                    skipped = max(0, skipped - len(data))
                    left -= len(kept)
                    if kept:
                        yield kept
                    if not left:
                        return
        except TransientFault:
            self._leads_to.pop(file.digest, None)  # an address is good for a while only
            raise

    def _url(self, path: str) -> httpx2.URL:
        return httpx2.URL(str(self._endpoint).rstrip("/") + path)

    @asynccontextmanager
    async def _answer(
        self, address: _Address, what: str, headers: dict[str, str]
    ) -> AsyncIterator[httpx2.Response]:
        """The answer to a GET, wherever the hub leads; `address` says where that was."""
        for _ in range(_MAX_HOPS):
            is_hub = _origin(address.url) == _origin(self._endpoint)
            token = {"Authorization": f"Bearer {self._token}"} if self._token and is_hub else {}
            try:
                async with aclosing(await self._send(address.url, headers | token)) as answer:
                    if not answer.is_redirect:
                        self._check_status(answer, what, address)
                        yield answer
                        return
                    address.url = self._next(address.url, answer.headers.get("Location", ""))
            except (httpx2.TransportError, ssl.SSLError) as error:
                raise unreachable(address.url.host, reason_of(error)) from error
        raise DownloadError(f"{self.host} leads around in a circle for {what}.")

    async def _send(self, url: httpx2.URL, headers: dict[str, str]) -> httpx2.Response:
        """Ask, within the permission to connect to whom that takes; the body is not read yet."""
        request = self._client.build_request("GET", url, headers=headers)
        with network.allowed("hub", connected_host(url)):
            return await self._client.send(request, stream=True)

    def _next(self, here: httpx2.URL, location: str) -> httpx2.URL:
        try:
            there = here.join(location)
        except httpx2.InvalidURL as error:
            raise DownloadError(f"{here.host} leads to an address that is none.") from error
        if not self.may_follow(here, there):
            raise intercepted(self.host, f"it leads to {there.scheme}://{there.host}")
        return there

    def may_follow(self, here: httpx2.URL, there: httpx2.URL) -> bool:
        """Whether a redirect is one that a hub would make.

        Within one origin; else to https only, without credentials, and to the hub's own hosts or
        those that keep large files for it.
        """
        if there.userinfo:
            return False
        if _origin(here) == _origin(there):
            return True
        hub = self._endpoint.host
        is_known = there.host == hub or there.host.endswith(f".{hub}")
        return there.scheme == "https" and (is_known or bool(_CDN_HOSTS.fullmatch(there.host)))

    def _check_status(self, answer: httpx2.Response, what: str, address: _Address) -> None:
        status = answer.status_code
        if status in {200, 206}:
            return
        fault = status_fault(
            status,
            what,
            address.url.host,
            has_token=bool(self._token),
            retry_after=answer.headers.get("Retry-After", ""),
            longest_pause=self._patience.longest_pause_seconds,
        )
        if address.is_cached and isinstance(fault, DownloadError):  # signed for a while only
            raise TransientFault(fault, 0.0)
        raise fault

    def _check(self, answer: httpx2.Response, file: RepoFile, start: int, end: int) -> int:
        """How many bytes of the answer come before `start`."""
        kind = answer.headers.get("Content-Type", "")
        if "text/html" in kind:  # no file of a model is one
            raise intercepted(self.host, "with a web page")
        is_packed = answer.headers.get("Content-Encoding", "identity") != "identity"
        if answer.status_code == 206:
            if is_packed:  # then these are bytes of something else
                raise unreachable(answer.url.host, "it sends packed what was asked for as it is")
            match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if not match or tuple(map(int, match.groups())) != (start, end - 1, file.size_bytes):
                raise intercepted(self.host, f"with another part of {file.name}, or another file")
            return 0
        length = answer.headers.get("Content-Length", str(file.size_bytes))
        if length != str(file.size_bytes) and not is_packed:
            raise intercepted(self.host, f"with a {file.name} of another size")
        if file.size_bytes > _MAX_WHOLE_BYTES:
            raise ignored_range(answer.url.host)
        return start


def connected_host(url: httpx2.URL) -> str:
    """Whom a request connects to: the host of the address, or the proxy of the environment."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.host):
        return url.host
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or url.host


def is_private(url: httpx2.URL) -> bool:
    """Whether what is sent to an address cannot be read on the way: https, or this machine."""
    return url.scheme == "https" or url.host in {"localhost", "127.0.0.1", "::1"}


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _chunks(answer: httpx2.Response) -> AsyncIterator[bytes]:
    """The body as it comes; unpacked if somebody on the way has packed it."""
    is_packed = answer.headers.get("Content-Encoding", "identity") != "identity"
    try:
        async for data in answer.aiter_bytes() if is_packed else answer.aiter_raw():
            yield data
    except httpx2.RequestError as error:
        raise unreachable(answer.url.host, reason_of(error)) from error
