"""A folder that appears whole or not at all.

It is written beside its place under a hidden name and renamed at the end. A lock tells a folder
that is being written from one that a killed process left behind. Knows nothing of models.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from gemma_tui.errors import DiskFullError, StorageError, UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class FreshFolder:
    """A context in which a new folder is filled.

    Args:
        target: Its final place.
        needed_bytes: What will be written.

    Raises:
        UsageError: On entering: `target` is there already, or its parent is not, or somebody else
            is writing it.
        DiskFullError: On entering or while writing: there is too little space.
        StorageError: It cannot be written.
    """

    def __init__(self, target: Path, needed_bytes: int) -> None:
        self._target = target
        self._needed = needed_bytes
        self._partial = target.with_name(f".{target.name}.partial")
        self._lock = -1

    def __enter__(self) -> Path:
        parent = self._target.parent
        if os.path.lexists(self._target):
            raise UsageError(f"{self._target} is already there.", "Choose another --out.")
        if not parent.is_dir():
            raise UsageError(f"There is no folder {parent}.", "Make it, or choose another --out.")
        try:
            free = shutil.disk_usage(parent).free
            if free < self._needed:
                raise DiskFullError(
                    f"The new folder needs {_gigabytes(self._needed)}, and {parent} has"
                    f" {_gigabytes(free)} left.",
                    "Free some space, or choose another --out.",
                )
            self._begin()
        except OSError as error:
            self._discard()
            raise self._fault(error) from error
        return self._partial

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._publish()
        except OSError as late:
            raise self._fault(late) from late
        finally:
            self._discard()
        if isinstance(error, OSError):
            raise self._fault(error) from error

    def _begin(self) -> None:
        """Make the hidden folder, in place of one whose writer was killed."""
        self._partial.mkdir(exist_ok=True)
        self._lock = os.open(self._partial, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            self._lock = -1
            raise UsageError(f"{self._target} is being written already.", "Wait for it.") from error
        for left in self._partial.iterdir():
            left.unlink()

    def _publish(self) -> None:
        for path in self._partial.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        os.fsync(self._lock)
        # To rename onto a folder fails unless that is empty: nothing can be lost here.
        self._partial.rename(self._target)
        parent = os.open(self._target.parent, os.O_RDONLY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)

    def _discard(self) -> None:
        """Remove what is not published; only by whoever holds the lock."""
        if self._lock < 0:
            return
        shutil.rmtree(self._partial, ignore_errors=True)
        os.close(self._lock)
        self._lock = -1

    def _fault(self, error: OSError) -> StorageError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFullError(
                f"There is no space left where {self._target} was to be written.",
                "Free some space, or choose another --out.",
            )
        return StorageError(
            f"{self._target} cannot be written ({error.strerror}).", "Choose another --out."
        )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"
