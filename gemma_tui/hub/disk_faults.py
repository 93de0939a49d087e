"""What a disk refuses, in words, and what is free on it."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gemma_tui.byte_size import format_size
from gemma_tui.errors import DiskFullError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_RESERVE_BYTES: Final = 64 * 1024 * 1024
"""What is left to everybody else."""


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
    """Turn the `OSError` of a write below `folder` into a sentence.

    Raises:
        DiskFullError: There is no space left.
        StorageError: Anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                f"There is no space left on the disk of {folder}.",
                "Free some space and go on; what came so far is kept.",
            ) from error
        reason = error.strerror or str(error)
        hint = "Check its permissions, or choose another place with HF_HUB_CACHE."
        if error.errno in {errno.EPERM, errno.ENOTSUP} and error.filename2:
            reason = "its file system has no links"
        raise StorageError(f"{folder} cannot be written ({reason}).", hint) from error


def free_space(folder: Path) -> int:
    """Bytes that are free on the disk of a folder, which need not be there yet."""
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    return shutil.disk_usage(there).free


def check_space(folder: Path, needed_bytes: int, what: str) -> None:
    """See to it that there is space before anything is fetched.

    Args:
        folder: Where it will be; need not be there yet.
        needed_bytes: What is still to be written.
        what: A name, for the sentence.

    Raises:
        DiskFullError: There is too little.
    """
    free = free_space(folder)
    if needed_bytes and free < needed_bytes + _RESERVE_BYTES:
        raise DiskFullError(
            f"{what} needs {format_size(needed_bytes)} more, and the disk of {folder} has"
            f" {format_size(free)} left.",
            "Free some space, or choose another disk with HF_HUB_CACHE.",
        )
