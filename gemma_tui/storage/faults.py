"""What the system and SQLite say when storing fails, turned into sentences.

Knows no tables. Also makes the private folders, because that is where most refusals happen.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gemma_tui.errors import DamagedStoreError, DiskFullError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LEAST_FREE_BYTES = 1 << 20
"""SQLite reports a full disk as a plain I/O error where it grows its shared memory file."""


@contextmanager
def storage_faults(path: Path) -> Iterator[None]:
    """Turn what goes wrong inside into a `StorageError` about `path` (a file of ours).

    Raises:
        StorageError: Or its subclass that fits best.
    """
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # our own mistake, not the disk's
    except sqlite3.Error as error:
        raise _from_sqlite(error, path) from error
    except OSError as error:
        raise _from_system(error, path) from error


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, readable by nobody else (mode 0700).

    Raises:
        OSError: The system refuses.
    """
    if not folder.is_dir():
        if folder.parent != folder:
            _make_missing(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _make_missing(folder: Path) -> None:
    # `mkdir(parents=True)` would give the parents the modes of the umask.
    if not folder.is_dir():
        _make_missing(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def disk_full(path: Path) -> DiskFullError:
    """The sentence for a full disk."""
    return DiskFullError(
        f"There is no space left on the disk that holds {path.parent}.",
        "Free some space and try again; what was stored before is safe.",
    )


def damaged(path: Path, reason: str) -> DamagedStoreError:
    """The sentence for a database that SQLite cannot read."""
    return DamagedStoreError(
        f"The database {path} is damaged ({reason}).",
        "Start gemma-tui: it sets the file aside and begins a new one.",
    )


def _from_sqlite(error: sqlite3.Error, path: Path) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    if code in _DAMAGED:
        return damaged(path, str(error))
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return disk_full(path)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StorageError(
            f"Another program keeps {path} locked.", "Close it, or try again in a moment."
        )
    return _cannot_write(path, str(error))


def _from_system(error: OSError, path: Path) -> StorageError:
    if error.errno in _NO_SPACE:
        return disk_full(path)
    return _cannot_write(path, error.strerror or str(error))


def _cannot_write(path: Path, reason: str) -> StorageError:
    return StorageError(
        f"The data folder {path.parent} cannot be used ({reason}).",
        "Check its permissions, or set GEMMA_TUI_HOME to a folder you may write to.",
    )


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LEAST_FREE_BYTES
    except OSError:
        return False
