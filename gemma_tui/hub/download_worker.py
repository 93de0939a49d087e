"""The process of a download: reads an order, writes events, and ends when nobody reads any more."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import aclosing, suppress
from pathlib import Path

from gemma_tui.errors import DownloadError, GemmaError
from gemma_tui.hub.download_events import DownloadOrder, Patience
from gemma_tui.hub.download_process import event_line
from gemma_tui.network import install_guard


def main() -> None:
    """Run until the download, or the app, has ended."""
    install_guard()
    with suppress(OSError):
        os.nice(5)  # what is drawn comes first
    with suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_serve())


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    work = asyncio.create_task(_download(read_order(await orders.readline())))
    app_ended = asyncio.create_task(orders.read())
    await asyncio.wait({work, app_ended}, return_when=asyncio.FIRST_COMPLETED)
    work.cancel()
    app_ended.cancel()
    await asyncio.gather(work, app_ended, return_exceptions=True)


async def _download(order: DownloadOrder) -> None:
    from gemma_tui.hub.download import download  # noqa: PLC0415  # what it fails with is told

    try:
        async with aclosing(download(order)) as events:
            async for event in events:
                _write(event_line(event))
    except GemmaError as error:
        _write(event_line(error))
    except BrokenPipeError:
        pass
    except Exception as error:  # noqa: BLE001  # nobody else could tell
        _write(event_line(DownloadError(f"The download failed ({error!r}).", "Try again.")))


def read_order(line: bytes) -> DownloadOrder:
    """The order in a line that `order_line` wrote."""
    fields = json.loads(line)
    fields["cache"], fields["patience"] = Path(fields["cache"]), Patience(**fields["patience"])
    return DownloadOrder(**fields)


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
