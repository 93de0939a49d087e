"""Opening a file that somebody named, and naming what is wrong with it.

Knows neither pictures nor sounds.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from gemma_tui.errors import DamagedFileError, GemmaError, LimitError, NotAFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COPY_AGAIN = "Copy or download it again, or open it in another program and export it anew."


@contextmanager
def open_file(path: Path, name: str) -> Iterator[BinaryIO]:
    """Open a regular file for reading; never waits, as opening a FIFO or a device could.

    Args:
        path: Where it is.
        name: What error messages call it.

    Raises:
        NotAFileError: It is missing, unreadable, a folder or a device.
        DamagedFileError: It is empty.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotAFileError(f"There is no file “{name}”.", "Check the path.") from None
    except PermissionError:
        hint = "Change its permissions, or copy it to a folder of yours."
        raise NotAFileError(f"“{name}” may not be read by you.", hint) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "its path is invalid"
        raise NotAFileError(f"“{name}” cannot be opened: {reason}.", "Check the path.") from error
    try:
        _check_regular(os.fstat(descriptor), name)
    except NotAFileError:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_size == 0:
            raise DamagedFileError(f"“{name}” is empty: it holds no bytes.", _COPY_AGAIN)
        yield file


def _check_regular(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a device, not a file"
        raise NotAFileError(f"“{name}” is {what}.", "Choose a picture or a sound file.")


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises on bad bytes into one sentence about the file.

    Raises:
        DamagedFileError: The decoder gave up.
        LimitError: There was not enough memory to decode it.
    """
    try:
        yield
    except GemmaError:
        raise
    except MemoryError as error:
        message = f"“{name}” needs more memory to be decoded than there is."
        raise LimitError(message, "Make it smaller, or close other programs.") from error
    except Exception as error:  # decoders meet hostile bytes with errors of every class
        message = f"“{name}” is cut off or damaged, and cannot be decoded to its end."
        raise DamagedFileError(message, _COPY_AGAIN) from error
