"""Attachment bytes as files named by their sha256: `ab/cdef…`, written once, never changed.

Pictures are stored without their metadata: where one was taken is nobody's business. Anything else
about the bytes is the engine's.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import mmap
import os
import stat
import tempfile
import time
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from gemma_tui.errors import (
    AttachmentError,
    DamagedFileError,
    LimitError,
    NotAFileError,
    StorageError,
)
from gemma_tui.metadata.removal import HEAD_BYTES, has_metadata_format, without_metadata
from gemma_tui.storage.faults import make_private_folder, storage_faults

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

MAX_BLOB_BYTES: Final = 512 * 1024 * 1024
"""Larger files are refused before they are copied: 30 s of sound or a picture stay far below."""

_KEPT_SECONDS: Final = 24 * 3600.0
"""An unused blob may belong to a draft that is being written: only old ones are collected."""

_CHUNK_BYTES: Final = 1 << 20


class StoredBlob(NamedTuple):
    """What `add_file` made of a file."""

    sha256: str
    size_bytes: int
    is_new: bool
    """False if the same bytes were there already."""
    source_sha256: str
    """Of the file as it was; another one if metadata was taken out."""


class BlobStore:
    """A folder of blobs.

    Args:
        folder: Created when the first blob is added.
        limit_bytes: Size of the largest file that is taken.
    """

    def __init__(self, folder: Path, limit_bytes: int = MAX_BLOB_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes

    def path_of(self, sha256: str) -> Path:
        """Where the bytes are, or would be."""
        return self._folder / sha256[:2] / sha256[2:]

    async def add_file(self, path: Path) -> StoredBlob:
        """Copy a file into the store; a pipe, device or folder is refused without waiting for it.

        Raises:
            NotAFileError: It does not exist, is no regular file, or may not be read.
            DamagedFileError: It is a picture that cannot be freed of its metadata.
            LimitError: It is larger than the limit.
            DiskFullError: There is no space for the copy.
            StorageError: The store cannot be written.
        """
        return await asyncio.to_thread(self._add_file, path)

    def path_in_the_making(self) -> Path:
        """Where a file may be written that is to be added; one left there is collected later."""
        return self._folder / f"new-{os.getpid()}-{time.monotonic_ns()}"

    async def discard(self, sha256: str) -> None:
        """Remove one blob, if it is there."""
        await asyncio.to_thread(self.path_of(sha256).unlink, missing_ok=True)

    async def collect(self, used: Collection[str]) -> int:
        """Remove blobs that are not `used` and older than a day; returns how many.

        Raises:
            StorageError: The store cannot be written.
        """
        return await asyncio.to_thread(self._collect, used)

    def _add_file(self, path: Path) -> StoredBlob:
        with _open_regular(path) as source:
            if os.fstat(source).st_size > self._limit_bytes:
                raise self._too_large(path)
            with storage_faults(self._folder):
                make_private_folder(self._folder)
            return self._copy(source, path)

    def _copy(self, source: int, path: Path) -> StoredBlob:
        temporary = self.path_in_the_making()
        try:
            with storage_faults(self._folder):
                target = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(target, "wb") as file:
                read = hashlib.sha256()
                pieces = self._pieces(source, path, read)
                sha256, size = self._hash_into(file.fileno(), pieces)
            is_new = self._place(temporary, sha256, size)
            return StoredBlob(sha256, size, is_new, read.hexdigest())
        finally:
            temporary.unlink(missing_ok=True)

    def _pieces(self, source: int, path: Path, read: hashlib._Hash) -> Iterator[bytes]:
        """What is to be stored of a file; `read` hashes all of it."""
        chunks = self._chunks(source, path, read)
        first = next(chunks, b"")
        if has_metadata_format(first[:HEAD_BYTES]):
            yield from self._cleaned(chain((first,), chunks), path)
        else:
            yield first
            yield from chunks

    def _cleaned(self, chunks: Iterable[bytes], path: Path) -> Iterator[bytes]:
        # It has no name, so a crash leaves nothing of it behind; and it is ours, so nobody cuts
        # it short while it is mapped.
        with storage_faults(self._folder), tempfile.TemporaryFile(dir=self._folder) as whole:
            for chunk in chunks:
                whole.write(chunk)
            whole.flush()
            with mmap.mmap(whole.fileno(), 0) as data:
                try:
                    yield from without_metadata(data)
                except ValueError as error:
                    raise DamagedFileError(
                        f"“{path.name}” is built so that its metadata cannot be taken out.",
                        "Open it in another program and export it anew.",
                    ) from error

    def _chunks(self, source: int, path: Path, read: hashlib._Hash) -> Iterator[bytes]:
        size = 0
        while chunk := _read(source, path):
            size += len(chunk)
            if size > self._limit_bytes:
                raise self._too_large(path)
            read.update(chunk)
            yield chunk

    def _hash_into(self, target: int, pieces: Iterable[bytes]) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        for piece in pieces:
            size += len(piece)
            digest.update(piece)
            with storage_faults(self._folder):
                _write_all(target, piece)
        with storage_faults(self._folder):
            os.fsync(target)
        return digest.hexdigest(), size

    def _place(self, temporary: Path, sha256: str, size: int) -> bool:
        """Give the bytes their name; False if they had it already."""
        final = self.path_of(sha256)
        with storage_faults(self._folder):
            if final.is_file() and final.stat().st_size == size:
                os.utime(final)  # young again: not to be collected before it is used
                return False
            make_private_folder(final.parent)
            temporary.rename(final)
            _sync_folder(final.parent)
        return True

    def _collect(self, used: Collection[str]) -> int:
        oldest = time.time() - _KEPT_SECONDS
        count = 0
        with storage_faults(self._folder):
            for path in self._folder.glob("*/*"):
                if path.parent.name + path.name not in used and path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)
                    count += 1
            for path in self._folder.glob("new-*"):  # left by a process that was killed
                if path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)
        return count

    def _too_large(self, path: Path) -> LimitError:
        limit = self._limit_bytes // (1024 * 1024)
        return LimitError(f"“{path.name}” is larger than {limit} MB.", "Attach a smaller file.")


@contextmanager
def _open_regular(path: Path) -> Iterator[int]:
    try:
        # O_NONBLOCK: opening a named pipe that nobody writes would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise NotAFileError(f"“{path.name}” is a folder.", "Attach the files in it.")
        if not stat.S_ISREG(mode):
            raise NotAFileError(f"“{path.name}” is a pipe or a device.", "Attach a regular file.")
        yield descriptor
    finally:
        os.close(descriptor)


def _unreadable(path: Path, error: OSError | ValueError) -> AttachmentError:
    match getattr(error, "errno", None):
        case errno.ENOENT | errno.ENOTDIR | errno.ENAMETOOLONG:
            return NotAFileError(f"There is no file “{path}”.", "Check the name and the folder.")
        case errno.EACCES | errno.EPERM:
            hint = "Allow reading it, or copy it somewhere else."
            return NotAFileError(f"“{path.name}” may not be read.", hint)
        case errno.ELOOP:
            return NotAFileError(f"“{path.name}” is a link that leads back to itself.")
        case errno.ENXIO:
            return NotAFileError(f"“{path.name}” is a socket or a device.", "Attach a file.")
        case _:
            return NotAFileError(f"“{path.name}” cannot be opened ({error}).", "Attach another.")


def _read(source: int, path: Path) -> bytes:
    try:
        return os.read(source, _CHUNK_BYTES)
    except OSError as error:
        raise NotAFileError(
            f"“{path.name}” could not be read to its end ({error.strerror}).",
            "Copy it to this computer's disk first.",
        ) from error


def _write_all(target: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(target, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def missing_blob(name: str) -> StorageError:
    """The sentence for an attachment whose bytes have vanished."""
    return StorageError(
        f"The stored copy of “{name}” is missing from the data folder.",
        "Attach the file again in a new message.",
    )
