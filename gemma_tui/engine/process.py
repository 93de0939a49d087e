"""One life of the engine process: two pipes, its requests, and its end.

Knows frames and processes. What is asked, and whether a dead process gets a successor, is the
business of the client.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gemma_tui.engine.inbox import Inbox
from gemma_tui.engine.protocol import FrameDecoder, Progress, Request, Shutdown, encode_frame
from gemma_tui.errors import EngineError, EngineStoppedError, GemmaError
from gemma_tui.paths import child_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SHUTDOWN_SECONDS: Final = 5.0
"""How long the engine may take to end when asked to, before it is killed."""


def worker_command(log_path: Path, cache: Path | None = None) -> tuple[str, ...]:
    """The command that runs the engine, with the interpreter that runs this.

    Args:
        log_path: Where it logs.
        cache: Where it keeps what would be slow to compute again; None keeps nothing.
    """
    # -P: a file called numpy.py in the current folder must not become part of the engine.
    engine = (sys.executable, "-P", "-m", "gemma_tui.runtime.worker", "--log", str(log_path))
    return (*engine, "--cache", str(cache)) if cache else engine


class EngineProcess(asyncio.Protocol):
    """A running engine.

    Args:
        on_end: Called once when the process has ended, with its exit code (negative: the signal).
    """

    def __init__(self, on_end: Callable[[EngineProcess, int], None]) -> None:
        self._on_end = on_end
        self._decoder = FrameDecoder()
        self._inboxes: dict[int, Inbox] = {}
        self._error: GemmaError = EngineStoppedError("The engine process has ended.")
        """Why nothing can be asked any more, once that is so."""
        self._last_id = 0
        self._process: asyncio.subprocess.Process
        self._writer: asyncio.WriteTransport
        self._reader: asyncio.ReadTransport
        self._ending: asyncio.Task[None] | None = None
        self._has_ended = asyncio.Event()
        self.is_alive = True

    @classmethod
    async def spawn(
        cls,
        command: Sequence[str],
        log_path: Path,
        on_end: Callable[[EngineProcess, int], None],
    ) -> EngineProcess:
        """Start the engine.

        Raises:
            EngineError: It cannot be started, or its log cannot be written.
        """
        self = cls(on_end)
        requests_out, requests_in = os.pipe()
        events_out, events_in = os.pipe()
        theirs = [requests_out, events_in]
        try:
            log = open_log(log_path)
            theirs.append(log)
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=requests_out,
                stdout=events_in,
                stderr=log,
                env=child_environment(),
                start_new_session=True,
            )
        except OSError as error:
            os.close(requests_in)
            os.close(events_out)
            raise EngineError(
                f"The engine process could not be started ({error.strerror}).",
                f"Check that {log_path.parent} can be written.",
            ) from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        loop = asyncio.get_running_loop()
        self._writer, _ = await loop.connect_write_pipe(
            asyncio.BaseProtocol, os.fdopen(requests_in, "wb", 0)
        )
        self._reader, _ = await loop.connect_read_pipe(lambda: self, os.fdopen(events_out, "rb", 0))
        return self

    @property
    def process_id(self) -> int:
        """The engine's process id."""
        return self._process.pid

    def request(self, body: Request) -> Inbox:
        """Send a request; its answers arrive in the inbox.

        Raises:
            ContextOverflowError: It is too long to be sent.
        """
        self._last_id += 1
        inbox = Inbox(self._last_id)
        if self._has_ended.is_set():
            inbox.fail(self._error)
            return inbox
        frame = encode_frame(inbox.request_id, body)
        self._inboxes[inbox.request_id] = inbox
        if self.is_alive:  # else it is told soon how the process ended
            self._writer.write(frame)
        return inbox

    def send(self, body: Request) -> None:
        """Send a request that has no answer of its own."""
        if self.is_alive:
            self._last_id += 1
            self._writer.write(encode_frame(self._last_id, body))

    def forget(self, inbox: Inbox) -> None:
        """Drop whatever still comes for this inbox."""
        self._inboxes.pop(inbox.request_id, None)

    def fail_all(self, error: GemmaError) -> None:
        """End every open request with `error`."""
        self._error = error
        for inbox in self._inboxes.values():
            inbox.fail(error)
        self._inboxes.clear()

    async def close(self) -> None:
        """Ask the process to end, and see to it that it does."""
        self.send(Shutdown())
        self._writer.close()
        try:
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await self._has_ended.wait()
        except TimeoutError:
            self.kill()
            await self._has_ended.wait()

    def kill(self) -> None:
        """End the process at once."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    def data_received(self, data: bytes) -> None:
        """Hand every complete frame to its inbox (called by asyncio)."""
        try:
            for request_id, event in self._decoder.feed(data):
                if inbox := self._inboxes.get(request_id):
                    inbox.put(event)
                    if not isinstance(event, Progress):
                        self.forget(inbox)
        except EngineError:
            # The stream is beyond repair; the end of the process tells everyone who waits.
            self.kill()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio passes it
        """The engine's end of the pipe is closed (called by asyncio)."""
        self.is_alive = False
        self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            self.kill()
            code = await self._process.wait()
        self._writer.close()
        self._reader.close()
        self._has_ended.set()
        self._on_end(self, code)


def how_it_ended(code: int) -> str:
    """An exit code in words: a negative one is the signal that ended the process."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def open_log(path: Path) -> int:
    """A descriptor that adds to the engine's log; makes what is missing.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
