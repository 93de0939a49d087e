"""Converting a model folder, in an engine process of its own.

Not in the one that answers: a conversion takes minutes on the thread that generates, and its
memory must not add to that of a loaded model.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gemma_tui.engine.process import EngineProcess, how_it_ended, worker_command
from gemma_tui.engine.protocol import Cancel, Converted, ConvertProgress
from gemma_tui.errors import EngineStoppedError, GemmaError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from gemma_tui.engine.protocol import Convert

STOP_SECONDS: Final = 60.0
"""How long one block of weights may take; what is left after that goes with the next try."""


async def convert(
    request: Convert, log_path: Path
) -> AsyncGenerator[ConvertProgress | Converted, None]:
    """Write a quantised copy of a folder, ending with `Converted`.

    Closing the generator early stops the conversion, and nothing of the copy is left.

    Args:
        request: What to convert, and to what.
        log_path: Where the engine logs.

    Raises:
        UsageError: The numbers are impossible, or the target is there already.
        ModelError: The folder cannot be loaded, or is quantised already.
        StorageError: The copy cannot be written.
        EngineError: The engine failed.
    """

    def ended(process: EngineProcess, code: int) -> None:
        sentence = f"The engine process stopped unexpectedly ({how_it_ended(code)})."
        process.fail_all(EngineStoppedError(sentence, f"Its log may say why: {log_path}"))

    process = await EngineProcess.spawn(worker_command(log_path), log_path, ended)
    inbox = process.request(request)
    try:
        while not inbox.is_ended:
            for event in await inbox.take():
                if isinstance(event, ConvertProgress | Converted):
                    yield event
    finally:
        if not inbox.is_ended:
            process.send(Cancel(inbox.request_id))
            # It tidies up after the block it is at; only then may its process end.
            with suppress(GemmaError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await inbox.last()
        await process.close()
