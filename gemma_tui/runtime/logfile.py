"""The log of the engine process: one file that rotates, readable by its owner only.

Everything that Python or a C library prints ends there too, so that nothing can corrupt the
frames on the pipe. What is logged never contains the text of a conversation.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from io import TextIOWrapper
    from pathlib import Path

MAX_LOG_BYTES: Final = 1024 * 1024
"""The log and its one predecessor together stay below twice this."""

_TELLING_ERRORS: Final = (RuntimeError, MemoryError, OSError, ImportError)
"""Errors whose messages speak of shapes, memory, files and modules, never of what a user wrote."""


class _EngineLogHandler(RotatingFileHandler):
    """Takes the process's own standard output and error along when the file rotates."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, maxBytes=MAX_LOG_BYTES, backupCount=1, encoding="utf-8", errors="replace"
        )
        self._redirect()

    def _open(self) -> TextIOWrapper:
        return open(  # the handler closes it
            self.baseFilename,
            "a",
            encoding="utf-8",
            errors="replace",
            opener=lambda name, flags: os.open(name, flags, 0o600),
        )

    def doRollover(self) -> None:  # noqa: N802  # the name is logging's
        super().doRollover()
        self._redirect()

    def _redirect(self) -> None:
        assert self.stream is not None
        os.dup2(self.stream.fileno(), 1)
        os.dup2(self.stream.fileno(), 2)


def open_log(path: Path) -> logging.Logger:
    """Log to `path` from now on, and send whatever is printed there as well."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    handler = _EngineLogHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    logger = logging.getLogger("gemma_tui.engine")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


def describe(error: BaseException) -> str:
    """An unexpected error for the log: its type and where it arose, file by file.

    Its message is part of that only where it cannot quote a conversation.
    """
    message = f": {error}" if isinstance(error, _TELLING_ERRORS) else ""
    places = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}{message}\n{places}"
