"""Which processes have the data folder open, told by files they keep locked.

The lock dies with its process, however that ends, and unlike a process id it is never reused.
Knows nothing of what the processes write.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path


class Instance:
    """This process's membership; `token` names it in the rows it is writing.

    Args:
        folder: Private folder of the lock files.

    Raises:
        OSError: The lock file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.token = uuid.uuid4().hex
        self._folder = folder
        self._path = self._place(self.token)
        unlocked = folder / f"{self.token}.new"
        self._descriptor = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try_lock(self._descriptor)
        # Renamed only when locked: under its final name a file without a lock is a dead process.
        unlocked.rename(self._path)

    def is_alive(self, token: str) -> bool:
        """Whether the process with this token still runs."""
        if token == self.token:
            return True
        try:
            descriptor = os.open(self._place(token), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not try_lock(descriptor)
        finally:
            os.close(descriptor)

    def bury_dead(self) -> int:
        """Remove the files of processes that did not leave in order; returns how many."""
        dead = [p for p in self._folder.glob("*.lock") if not self.is_alive(p.stem)]
        for path in dead:
            path.unlink(missing_ok=True)
        return len(dead)

    def release(self, *, in_order: bool = True) -> None:
        """Leave; not in order, and the next process to look takes this one for killed."""
        if in_order:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _place(self, token: str) -> Path:
        return self._folder / f"{Path(token).name}.lock"


def try_lock(descriptor: int) -> bool:
    """Whether the lock was free; a file system without locks counts as free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
