"""The real command in a process of its own, and the real client of OpenAI."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    process: subprocess.Popen[str]
    url: str
    token: str
    log: Path
    """What it said on its standard error."""
    clients: ExitStack
    """Closes them."""

    @property
    def port(self) -> int:
        found = re.search(r":(\d+)/", self.url)
        assert found
        return int(found[1])

    def client(self, token: str = "") -> openai.OpenAI:
        client = openai.OpenAI(
            base_url=self.url,
            api_key=token or self.token,
            max_retries=0,
            timeout=PATIENCE_SECONDS,
        )
        return self.clients.enter_context(client)

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


class Server(Protocol):
    def __call__(
        self,
        home: Path,
        *arguments: str,
        module: str = "gemma_tui",
        environ: dict[str, str] | None = None,
    ) -> AbstractContextManager[Served]:
        """Start one, and end it."""


@contextmanager
def serving(
    home: Path,
    *arguments: str,
    module: str = "gemma_tui",
    environ: dict[str, str] | None = None,
) -> Iterator[Served]:
    log, temporary = home / "serve.log", home / "temporary"
    temporary.mkdir()
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={
                **os.environ,
                "GEMMA_TUI_HOME": str(home),
                "TMPDIR": str(temporary),
                **(environ or {}),
            },
        )
    assert process.stdout is not None
    try:
        said = ""
        while "OPENAI_BASE_URL" not in said:
            line = process.stdout.readline()
            assert line, log.read_text()
            said += line
        url = re.search(r"OPENAI_BASE_URL=(\S+)", said)
        assert url
        key = ""
        if not (environ or {}).get("GEMMA_TUI_SERVE_TOKEN"):
            key = process.stdout.readline().partition("OPENAI_API_KEY=")[2].strip()
        with ExitStack() as clients:
            yield Served(process, url[1], key, log, clients)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def start() -> Server:
    return serving


@pytest.fixture(scope="module")
def served(start: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The built-in model, served to all tests of a module."""
    with start(tmp_path_factory.mktemp("home")) as server:
        yield server
