"""The SQLite file: opened once, used by one thread of its own, and never blocking the caller.

Transactions, durability, permissions and damage are its business; tables are not.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from gemma_tui.errors import DamagedStoreError, StorageError
from gemma_tui.storage.faults import damaged, make_private_folder, storage_faults
from gemma_tui.storage.instance import Instance
from gemma_tui.storage.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_CHECK_LIMIT_BYTES: Final = 1 << 30
"""A quick check reads the whole file (about 3.5 s per GB): beyond this it would delay the start."""

_LONG_MIGRATION_BYTES: Final = 4 << 20
"""A migration of less is over before anybody reads a sentence about it."""

_DAMAGE_CODES: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Database:
    """An open database; made by `open`."""

    def __init__(self, opened: Opened, thread: ThreadPoolExecutor) -> None:
        self._opened = opened
        self._thread = thread
        self._is_closed = False

    @classmethod
    async def open(
        cls,
        path: Path | None,
        *,
        recover: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Database:
        """Open the database at `path`, creating what is missing (files 0600, folders 0700).

        Args:
            path: The file; None keeps everything in memory until `close`.
            recover: Set a damaged file aside (see `set_aside`) and begin an empty one.
            tell: Called on another thread with a sentence about what will take long.

        Raises:
            DamagedStoreError: The file is damaged, of a newer version, or another program's.
            DiskFullError: There is no space for it.
            StorageError: The folder cannot be read or written.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        try:
            loop = asyncio.get_running_loop()
            opened = await loop.run_in_executor(thread, Opened, path, recover, tell)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(opened, thread)

    @property
    def set_aside(self) -> Path | None:
        """Where the damaged database was moved when this one was opened, if it was."""
        return self._opened.set_aside

    @property
    def token(self) -> str:
        """Names this process in the rows it writes."""
        return self._opened.token

    def is_alive(self, token: str) -> bool:
        """Whether the process with this token still has the database open."""
        return self._opened.is_alive(token)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the database's thread, in a transaction that only reads.

        Raises:
            StorageError: The database cannot be read.
        """
        return await self._submit("BEGIN", work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on the database's thread, in a transaction: all of it or nothing.

        Once called it is carried out, in the order of the calls, even if the caller is cancelled.

        Raises:
            StorageError: The database cannot be written; nothing was changed.
        """
        return await self._submit("BEGIN IMMEDIATE", work)

    async def close(self) -> None:
        """Finish what was submitted, then close the file; closing again does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._opened.close)
        self._thread.shutdown(wait=False)
        await asyncio.shield(closing)

    async def _submit(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._is_closed:
            raise StorageError("The conversations are closed already.")
        loop = asyncio.get_running_loop()
        return await asyncio.shield(
            loop.run_in_executor(self._thread, self._opened.transact, begin, work)
        )


class Opened:
    """The connection and what belongs to it; lives on the database's thread only.

    Args:
        path: The file, or None for memory.
        recover: Whether a damaged file is set aside.
        tell: As `Database.open`.

    Raises:
        StorageError: As `Database.open`.
    """

    def __init__(
        self, path: Path | None, recover: bool, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.set_aside: Path | None = None
        self.token = ""
        self._path = path
        self._tell = tell
        self._is_damaged = False
        self._instance: Instance | None = None
        if path is None:
            self._connection = _connect(":memory:")
            migrate(self._connection, "the memory")
            return
        with storage_faults(path):
            self._open_file(path, recover)

    def _open_file(self, path: Path, recover: bool) -> None:
        make_private_folder(path.parent)
        instances = path.parent / "instances"
        make_private_folder(instances)
        self._instance = Instance(instances)
        self.token = self._instance.token
        try:
            was_killed = self._instance.bury_dead() > 0
            self._connection = self._open_sound(path, recover, check=was_killed)
        except DamagedStoreError:
            self._instance.release(in_order=False)  # the next start looks thoroughly as well
            raise
        except BaseException:
            self._instance.release()
            raise

    def _open_sound(self, path: Path, recover: bool, *, check: bool) -> sqlite3.Connection:
        _make_private_file(path)
        connection = _connect(path)
        try:
            reason = _damage(
                connection, thorough=check and path.stat().st_size < _CHECK_LIMIT_BYTES
            )
            if not reason:
                _use_log(connection)
                migrate(connection, str(path), partial(self._tell_of_migration, path))
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        if not recover:
            raise damaged(path, reason)
        self.set_aside = _set_aside(path)
        return self._open_sound(path, recover=False, check=False)

    def _tell_of_migration(self, path: Path) -> None:
        size = path.stat().st_size
        if size >= _LONG_MIGRATION_BYTES:
            self._tell(
                f"Bringing the conversations of an earlier version ({size >> 20} MB) to this one."
                " This happens once."
            )

    def is_alive(self, token: str) -> bool:
        """Whether the process with this token runs; in memory there is only this one."""
        return self._instance.is_alive(token) if self._instance else True

    def transact(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` between `begin` and COMMIT, or ROLLBACK if it raises."""
        if self._path is None:
            return self._transact(begin, work)
        try:
            with storage_faults(self._path):
                return self._transact(begin, work)
        except DamagedStoreError:
            self._is_damaged = True
            raise

    def _transact(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        connection.execute(begin)
        try:
            result = work(connection)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return result

    def close(self) -> None:
        """Close the connection and leave; as if killed, if the next start shall look for damage."""
        self._connection.close()
        if self._instance:
            self._instance.release(in_order=not self._is_damaged)


def _connect(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what was deleted shall not stay readable
    return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """Write-ahead log: survives kill -9 at any moment, and readers never wait for a writer."""
    deadline = time.monotonic() + 5.0
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            # SQLite does not wait here by itself when two processes open a new file at once.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = NORMAL")


def _damage(connection: sqlite3.Connection, *, thorough: bool) -> str:
    """What is wrong with the file, in SQLite's words; empty if nothing."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if thorough:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            return "" if found == "ok" else str(found)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGE_CODES:
            raise
        return str(error)
    return ""


def _make_private_file(path: Path) -> None:
    # SQLite gives its log files the mode of the database, so only this one has to be made.
    # An existing file is not opened: closing it would drop the locks SQLite holds in this process.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _set_aside(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(kept)
    for suffix in ("-wal", "-shm"):
        log = path.with_name(path.name + suffix)
        if log.exists():
            log.rename(kept.with_name(kept.name + suffix))
    return kept
