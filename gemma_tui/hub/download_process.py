"""A download in a process of its own: for the app, which it must not keep waiting.

Connections, checksums and a slow disk stay out of the process that draws. Because a download goes
on after kill -9, a pause is just that.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.errors import DownloadError, GemmaError, error_classes
from gemma_tui.hub.download_events import (
    Downloaded,
    DownloadPlanned,
    DownloadProgress,
    DownloadWaiting,
)
from gemma_tui.paths import child_environment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from gemma_tui.hub.download_events import DownloadEvent, DownloadOrder

EVENTS: Final[dict[str, type[DownloadEvent]]] = {
    kind.__name__: kind for kind in (DownloadPlanned, DownloadProgress, DownloadWaiting, Downloaded)
}
"""What the process writes, by its name."""


def worker_command() -> tuple[str, ...]:
    """The command that runs the process, with the interpreter that runs this."""
    # -P: a file called ssl.py in the current folder must not become part of it.
    return (sys.executable, "-P", "-m", "gemma_tui.hub.download_worker")


async def download_apart(
    order: DownloadOrder, command: Sequence[str] | None = None
) -> AsyncGenerator[DownloadEvent, None]:
    """`hub.download.download` in a child process: the same events, and the same errors.

    Args:
        order: Which model, from where, and to where.
        command: Runs the process; tests bring another.

    Raises:
        GemmaError: As `download`; a `DownloadError`, too, if the process ends unexpectedly.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(command or worker_command()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise DownloadError(
            f"The process of the download could not be started ({error.strerror}).", "Try again."
        ) from error
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(OSError):  # it has ended: that is found out below
            process.stdin.write(order_line(order))
            await process.stdin.drain()
        async for line in process.stdout:
            event = _event(json.loads(line))
            yield event
            if isinstance(event, Downloaded):
                return
        raise DownloadError(
            f"The process of the download ended unexpectedly ({await process.wait()}).",
            "Start it again; it goes on where it stopped.",
        )
    finally:
        process.stdin.close()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def order_line(order: DownloadOrder) -> bytes:
    """An order as the process reads it."""
    return json.dumps(asdict(order), default=str).encode() + b"\n"


def event_line(event: DownloadEvent | GemmaError) -> str:
    """An event, or the error that ends a download, as the process writes it."""
    about: dict[str, object]
    if isinstance(event, GemmaError):
        about = {"error": type(event).__name__, "message": event.message, "hint": event.hint}
    else:
        about = {"event": type(event).__name__, "fields": asdict(event)}
    return json.dumps(about, default=str) + "\n"


def _event(about: dict[str, Any]) -> DownloadEvent:
    """The event in a line.

    Raises:
        GemmaError: It is an error.
    """
    if "error" in about:
        raise error_classes().get(about["error"], DownloadError)(about["message"], about["hint"])
    fields = about["fields"]
    if "folder" in fields:
        fields["folder"] = Path(fields["folder"])
    return EVENTS[about["event"]](**fields)
