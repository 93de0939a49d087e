"""The microphone of this machine, reached through a process for every recording.

A process a recording, because devices come and go, and PortAudio looks at them once.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import MicrophoneError, StorageError, error_classes
from gemma_tui.microphone.interface import Device, Level, Played, Started
from gemma_tui.paths import child_environment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from gemma_tui.microphone.interface import RecordEvent

END_SECONDS: Final = 3.0
"""How long the process may take to close its device, before it is killed: the file is right."""

LIST_SECONDS: Final = 15.0
"""How long the audio system may take to say which devices there are."""


def worker_command() -> tuple[str, ...]:
    """The command that runs the process, with the interpreter that runs this."""
    return (sys.executable, "-P", "-m", "gemma_tui.microphone.worker")


class SystemMicrophone:
    """Whatever the system records from.

    Args:
        log_path: Takes what the audio libraries print; begun anew every time.
        command: Runs the process; tests bring another.
    """

    def __init__(self, log_path: Path, command: Sequence[str] | None = None) -> None:
        self._log_path = log_path
        self._command = command or worker_command()

    async def devices(self) -> tuple[Device, ...]:
        """See `Microphone.devices`."""
        try:
            async with asyncio.timeout(LIST_SECONDS), aclosing(self._run("list")) as events:
                async for event in events:
                    if event["event"] == "devices":
                        return tuple(Device(**item) for item in event["devices"])
        except TimeoutError as error:
            raise MicrophoneError(
                "The audio system does not say which microphones there are.", "Try again."
            ) from error
        return ()

    async def record(
        self, path: Path, device: str, stopping: asyncio.Event, *, is_required: bool = False
    ) -> AsyncGenerator[RecordEvent, None]:
        """See `Microphone.record`."""
        how = "required" if is_required else "preferred"
        run = self._run("record", str(path), device, how, stopping=stopping)
        async with aclosing(run) as events:
            async for event in events:
                match event:
                    case {"event": "started", "device": name, "rate": rate}:
                        yield Started(name, rate)
                    case {"event": "level", "seconds": s, "peak": peak, "loudness": loudness}:
                        yield Level(s, peak, loudness)

    async def play(self, path: Path, stopping: asyncio.Event) -> AsyncGenerator[Played, None]:
        """See `Microphone.play`."""
        async with aclosing(self._run("play", str(path), stopping=stopping)) as events:
            async for event in events:
                if event["event"] == "played":
                    yield Played(event["seconds"])

    async def _run(
        self, *job: str, stopping: asyncio.Event | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The events of one job; closing it early ends the job."""
        process = await self._start(job)
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        watching = asyncio.create_task(_close_when(stopping, stdin)) if stopping else None
        is_told = False
        try:
            while line := await stdout.readline():
                event = json.loads(line)
                if event["event"] == "failed":
                    is_told = True
                    cls = error_classes().get(event["error"], MicrophoneError)
                    raise cls(event["message"], event["hint"])
                is_told = is_told or event["event"] == "ended"
                yield event
            if not is_told:
                raise MicrophoneError(
                    "The process that speaks to the microphone has ended unexpectedly.",
                    f"Its log may say why: {self._log_path}",
                )
        finally:
            if watching is not None:
                watching.cancel()
            await _end(process, stdin)

    async def _start(self, job: Sequence[str]) -> asyncio.subprocess.Process:
        try:
            self._log_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._log_path.open("wb") as log:
                return await asyncio.create_subprocess_exec(
                    *self._command,
                    *job,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    env=child_environment(),
                    start_new_session=True,  # Ctrl-C in the terminal is for the app
                )
        except OSError as error:
            raise StorageError(
                f"The process that speaks to the microphone cannot be started ({error.strerror}).",
                f"Check that {self._log_path.parent} can be written.",
            ) from error


async def _close_when(stopping: asyncio.Event, stdin: asyncio.StreamWriter) -> None:
    await stopping.wait()
    stdin.close()


async def _end(process: asyncio.subprocess.Process, stdin: asyncio.StreamWriter) -> None:
    stdin.close()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.communicate()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
