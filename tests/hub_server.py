"""A hub for tests: serves one repository over loopback, counts every byte, and misbehaves on demand.

It speaks what a download needs of the hub's HTTP: the listing of a revision with sizes and digests,
files with ranges, and a redirect to a "CDN" path for large ones, as the real one has.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "tests/tiny-gemma"
_BLOCK = 16 * 1024


@dataclass(frozen=True)
class Asked:
    """A request, as a rule sees it."""

    kind: str
    """`listing`, `resolve` (the hub's own address of a file) or `cdn` (where that leads)."""
    name: str
    start: int
    end: int
    number: int
    """How many requests of this kind for this file came before."""
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """What to do instead of serving."""

    status: int = 0
    """Answer with this; 0 serves the file, damaged as the rest says."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    stop_after: int | None = None
    """Bytes of the body after which the connection is closed."""
    hang_after: int | None = None
    """Bytes of the body after which nothing comes any more, on an open connection."""
    flip: int | None = None
    """Position in the file of a byte that is sent wrong."""
    whole: bool = False
    """Ignore the range."""


class HubServer:
    """Serves `files` until it is closed.

    Args:
        files: The repository.
        lfs: Names of the files that count as large.
    """

    def __init__(
        self, files: Mapping[str, bytes], lfs: tuple[str, ...] = (".safetensors",)
    ) -> None:
        self.files = dict(files)
        self.repo, self.commit = REPO, COMMIT
        self.rule: Callable[[Asked], Fault | None] = lambda _: None
        self.listing_changes: Callable[[dict[str, Any]], None] = lambda _: None
        self.bytes_per_second: float | None = None
        self.asked: list[Asked] = []
        self.sent: defaultdict[str, int] = defaultdict(int)
        self.answering = 0
        self._lfs = lfs
        self._more = threading.Condition()
        self._closed = threading.Event()
        self._server = _Server(self)
        # What is under way when a client is killed was sent, and never came: keep it little.
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def sent_bytes(self) -> int:
        return sum(self.sent.values())

    @property
    def total_bytes(self) -> int:
        return sum(len(content) for content in self.files.values())

    def wait_sent(self, count: int, ended: Callable[[], bool]) -> None:
        """Wait until `count` bytes were sent, or `ended` says that no more will be."""
        deadline = time.monotonic() + 60
        with self._more:
            while self.sent_bytes < count and not ended():
                assert time.monotonic() < deadline
                self._more.wait(0.02)

    def wait_idle(self) -> None:
        """Wait until no answer is under way any more."""
        deadline = time.monotonic() + 60
        with self._more:
            while self.answering:
                assert time.monotonic() < deadline
                self._more.wait(0.02)

    def digest(self, name: str) -> str:
        content = self.files[name]
        return hashlib.sha256(content).hexdigest() if self.is_large(name) else blob_id(content)

    def is_large(self, name: str) -> bool:
        return name.endswith(self._lfs)

    def listing(self) -> dict[str, Any]:
        siblings = [
            {"rfilename": name, "size": len(content), "blobId": blob_id(content)}
            | (
                {
                    "lfs": {
                        "sha256": hashlib.sha256(content).hexdigest(),
                        "size": len(content),
                        "pointerSize": 134,
                    }
                }
                if self.is_large(name)
                else {}
            )
            for name, content in self.files.items()
        ]
        answer = {
            "id": self.repo,
            "sha": self.commit,
            "siblings": siblings,
            "private": False,
            "gated": False,
        }
        self.listing_changes(answer)
        return answer

    def note(self, asked: Asked) -> None:
        self.asked.append(asked)

    def count(self, kind: str, name: str) -> int:
        return sum((asked.kind, asked.name) == (kind, name) for asked in self.asked)

    def sending(self, name: str, count: int) -> None:
        with self._more:
            self.sent[name] += count
            self._more.notify_all()
        if self.bytes_per_second:
            self._closed.wait(count / self.bytes_per_second)

    def hang(self) -> None:
        self._closed.wait(60)


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a model folder, as a repository has them."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def sharded(files: Mapping[str, bytes], count: int) -> dict[str, bytes]:
    """The same model with its weights in several files, and an index."""
    content = files["model.safetensors"]
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    header.pop("__metadata__", None)
    shards = {name: data for name, data in files.items() if name != "model.safetensors"}
    index = {}
    for number in range(count):
        shard, tensors, body = f"model-{number + 1:05}-of-{count:05}.safetensors", {}, b""
        for name, about in list(header.items())[number::count]:
            start, end = about["data_offsets"]
            tensors[name] = about | {"data_offsets": [len(body), len(body) + end - start]}
            body += data[start:end]
            index[name] = shard
        text = json.dumps(tensors).encode()
        text += b" " * (-len(text) % 8)
        shards[shard] = len(text).to_bytes(8, "little") + text + body
    shards["model.safetensors.index.json"] = json.dumps({"weight_map": index}).encode()
    return shards


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: HubServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        hub = self.server.hub
        hub.answering += 1
        try:
            self._get()
        finally:
            hub.answering -= 1

    def _get(self) -> None:
        hub = self.server.hub
        path = unquote(self.path)
        if re.fullmatch(
            rf"/api/models/{hub.repo}/revision/(main|v1|{hub.commit})\?blobs=true", path
        ):
            self._serve("listing", "", json.dumps(hub.listing()).encode())
        elif match := re.fullmatch(rf"/{hub.repo}/resolve/{hub.commit}/(.+)", path):
            self._file("resolve", match[1])
        elif match := re.fullmatch(r"/cdn/(.+)", path):
            self._file("cdn", match[1])
        else:
            self._answer(Fault(404))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _file(self, kind: str, name: str) -> None:
        hub = self.server.hub
        if name not in hub.files:
            self._answer(Fault(404))
        elif kind == "resolve" and hub.is_large(name):
            self._serve(kind, name, b"", Fault(302, {"Location": f"/cdn/{name}"}))
        else:
            self._serve(kind, name, hub.files[name])

    def _serve(self, kind: str, name: str, content: bytes, usual: Fault | None = None) -> None:
        hub = self.server.hub
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, end = (int(match[1]), int(match[2]) + 1) if match else (0, len(content))
        headers = dict(self.headers.items())
        asked = Asked(kind, name, start, end, hub.count(kind, name), headers)
        hub.note(asked)
        fault = hub.rule(asked) or usual or Fault()
        if fault.status:
            self._answer(fault)
            return
        status = 206 if match and not fault.whole else 200
        start, end = (start, end) if status == 206 else (0, len(content))
        self.send_response(status)
        if kind == "listing":
            self.send_header("Content-Type", "application/json")
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
        self.send_header("Content-Length", str(end - start))
        for key, value in fault.headers.items():
            self.send_header(key, value)
        self.end_headers()
        self._body(name, content, start, end, fault)

    def _body(self, name: str, content: bytes, start: int, end: int, fault: Fault) -> None:
        hub = self.server.hub
        position = start
        for limit in (fault.stop_after, fault.hang_after):
            end = end if limit is None else min(end, start + limit)
        try:
            while position < end:
                block = bytearray(content[position : min(position + _BLOCK, end)])
                if fault.flip is not None and position <= fault.flip < position + len(block):
                    block[fault.flip - position] ^= 1
                self.wfile.write(block)
                position += len(block)
                if name:
                    hub.sending(name, len(block))
            if fault.hang_after is not None:
                hub.hang()
        except OSError:
            pass  # the client went away
        if fault.stop_after is not None or fault.hang_after is not None:
            self.close_connection = True

    def _answer(self, fault: Fault) -> None:
        self.send_response(fault.status)
        self.send_header("Content-Length", str(len(fault.body)))
        for key, value in fault.headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(fault.body)
