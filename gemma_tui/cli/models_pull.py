"""`gemma-tui models pull`: a download, with its progress on one line."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING

from gemma_tui.byte_size import format_size
from gemma_tui.cli.output import Progress
from gemma_tui.cli.signals import until_signalled
from gemma_tui.hub.cache import hub_endpoint, shared_cache
from gemma_tui.hub.catalog import load_catalog
from gemma_tui.hub.download import download
from gemma_tui.hub.download_events import (
    Downloaded,
    DownloadOrder,
    DownloadPlanned,
    DownloadProgress,
    DownloadWaiting,
)
from gemma_tui.hub.wanted_model import wanted_model

if TYPE_CHECKING:
    from gemma_tui.paths import Paths


def run_pull(name: str, paths: Paths, connections: int) -> int:
    """Download a model, and print its folder; returns the exit code.

    Args:
        name: What the user wrote.
        paths: Where the user's catalogue is.
        connections: How many at once.

    Raises:
        GemmaError: It names no model, or cannot be fetched; what came is kept.
        KeyboardInterrupt: Ctrl-C; what came is kept.
    """
    wanted = wanted_model(name, load_catalog(paths.config))
    order = DownloadOrder(
        wanted.repo,
        shared_cache(),
        hub_endpoint(),
        revision=wanted.revision or "main",
        connections=connections,
    )
    return asyncio.run(until_signalled(_pull(order, name)))


async def _pull(order: DownloadOrder, name: str) -> None:
    progress = Progress(sys.stderr)
    progress.show(f"asking for {order.repo}")
    is_begun = is_done = False
    try:
        async with aclosing(download(order)) as events:
            async for event in events:
                match event:
                    case DownloadPlanned():
                        is_begun = True
                        progress.tell(_plan_words(event))
                    case DownloadProgress():
                        progress.show(progress_words(event))
                    case DownloadWaiting(reason, seconds):
                        progress.show(f"{reason} Trying again in {seconds:.0f} s")
                    case Downloaded(folder=folder):
                        is_done = True
                        progress.clear()
                        sys.stdout.write(f"{folder}\n")
                        sys.stdout.flush()
    finally:
        progress.clear()
        if is_begun and not is_done:
            progress.tell(f"What came is kept; gemma-tui models pull {name} goes on.")


def progress_words(event: DownloadProgress) -> str:
    """How far a download is, in one line."""
    share = 100 * event.done_bytes // max(event.total_bytes, 1)
    if event.phase == "verifying":
        return f"{share:>3} %  comparing checksums, {event.file}"
    done, total = format_size(event.done_bytes), format_size(event.total_bytes)
    rate = f"{format_size(int(event.bytes_per_second))}/s" if event.bytes_per_second else "waiting"
    left = "" if event.seconds_left is None else f", {duration(event.seconds_left)} left"
    return f"{share:>3} %  {done} of {total}, {rate}{left}"


def duration(seconds: float) -> str:
    """Seconds for people: `40 s`, `12 min`, `2 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def _plan_words(plan: DownloadPlanned) -> str:
    rest = plan.total_bytes - plan.done_bytes
    there = f", {format_size(plan.done_bytes)} of them are here" if plan.done_bytes else ""
    size = format_size(plan.total_bytes)
    if not rest:
        return f"{plan.repo} is here ({size}); its checksums are compared."
    return f"{plan.repo} at {plan.revision[:8]}: {plan.file_count} files, {size}{there}."
