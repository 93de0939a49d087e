"""A standard output that was closed (`>&-`): `main` leaves one there that can only be read."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from gemma_tui.errors import GemmaError

if TYPE_CHECKING:
    from typing import TextIO


def closed_output() -> GemmaError:
    """The sentence for it."""
    return GemmaError(
        "The standard output is closed, so nothing can be shown.",
        "Send it to a file, or to /dev/null.",
    )


def require_output(stream: TextIO) -> None:
    """See that `stream` can be written, before anything is computed for it.

    Raises:
        GemmaError: It cannot.
    """
    try:
        flags = fcntl.fcntl(stream.fileno(), fcntl.F_GETFL)
    except (OSError, ValueError):
        return  # no file at all, but something in memory
    if flags & os.O_ACCMODE == os.O_RDONLY:
        raise closed_output()
