"""A loopback server that answers as Ollama does, with 100 tokens a second, for other programs.

Only what they ask for: the list of models, what one is, and a streamed chat completion. Nothing
leaves the machine.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from tests.bench.interface.texts import (
    CHARACTERS,
    MOST_SECONDS,
    TOKENS_PER_SECOND,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL: Final = "paced:latest"
_DETAILS: Final = {"format": "gguf", "family": "gemma", "parameter_size": "4B"}
_MODEL: Final = {
    "name": MODEL,
    "model": MODEL,
    "size": 1,
    "digest": "0" * 64,
    "details": _DETAILS,
    "modified_at": "2026-01-01T00:00:00Z",
}
_ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "/api/tags": {"models": [_MODEL]},
    "/api/ps": {"models": []},
    "/api/version": {"version": "0.12.0"},
    "/api/show": {
        "details": _DETAILS,
        "capabilities": ["completion"],
        "modelfile": "",
        "parameters": "",
        "template": "",
        "model_info": {"general.architecture": "gemma", "gemma.context_length": 131_072},
    },
    "/v1/models": {"object": "list", "data": [{"id": MODEL, "object": "model"}]},
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/v1/chat/completions" and json.loads(request).get("stream"):
            self._stream()
        else:
            self._answer()

    def _answer(self) -> None:
        known = _ANSWERS.get(self.path)
        data = json.dumps(known or {"error": "not here"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self) -> None:
        """A token each hundredth of a second, until nobody reads any more."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        text = text_of("prose", CHARACTERS * TOKENS_PER_SECOND * MOST_SECONDS)
        begun = time.monotonic()
        try:
            for count in range(TOKENS_PER_SECOND * MOST_SECONDS):
                time.sleep(max(0.0, begun + count / TOKENS_PER_SECOND - time.monotonic()))
                self.wfile.write(_event(text[count * CHARACTERS : (count + 1) * CHARACTERS]))
                self.wfile.flush()
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _event(token: str) -> bytes:
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": token}}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@contextmanager
def fake_ollama() -> Iterator[str]:
    """Serve; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
