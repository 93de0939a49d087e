"""Arrays that would be slow to compute again, as safetensors files in one folder under a cap.

A file can be lost at any time: nothing here raises because of one. What is read has been checked
against its name, its header and its checksum. Knows nothing of what the arrays mean.

The folder is for the eyes of its owner only. Files are written by a thread of its own, whole under
another name first, and never changed; the longest unused ones go first.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import struct
import threading
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gemma_tui.errors import ModelError
from gemma_tui.runtime.safetensors import read_header

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from gemma_tui.runtime.safetensors import StoredTensor

MAX_DISK_BYTES: Final = 4 * 1024**3
"""For E2B in 16 bits: conversations of some 230,000 tokens, or 1,200 pictures at 1120 tokens."""

MAX_AGE_SECONDS: Final = 30 * 24 * 3600.0
"""What was not used for so long is removed: it may belong to a conversation that was deleted."""

LEAST_FREE_BYTES: Final = 2 * 1024**3
"""The disk is never filled further than to this."""

_ABANDONED_SECONDS: Final = 3600.0
"""After so long, a file that was never finished was left by a process that ended."""

_NAME, _CHECKSUM = "name", "checksum"
"""Two arrays of each file: its own name, so that a file is never taken for another one, and the
CRC-32 of all other bytes."""

_SUFFIX, _UNFINISHED = ".safetensors", "new-"

_UNITS: Final = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
"""How numpy holds the types that are stored; it has none for bfloat16, whose bits are kept."""


@dataclass(frozen=True, slots=True)
class StoredArray:
    """One array as bits."""

    dtype: str
    """The name that safetensors has for the type."""
    bits: NDArray[Any]
    """In the array's shape; unsigned integers stand for bfloat16."""


class DiskCache:
    """One folder of arrays, by name.

    Args:
        folder: Made when the first file is written.
        log: Told what went wrong with a file; names say nothing of what is in it.
        max_bytes: What is beyond is removed, the longest unused first.
        max_age: Seconds after which an unused file is removed.
        least_free: Bytes of the disk that are left to others.
    """

    def __init__(
        self,
        folder: Path,
        log: logging.Logger,
        *,
        max_bytes: int = MAX_DISK_BYTES,
        max_age: float = MAX_AGE_SECONDS,
        least_free: int = LEAST_FREE_BYTES,
    ) -> None:
        self._folder = folder
        self._log = log
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._least_free = least_free
        self._waiting: dict[str, Mapping[str, StoredArray]] = {}
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        threading.Thread(target=self._write_all, name="disk", daemon=True).start()

    def has(self, name: str) -> bool:
        """Whether something of that name is stored or about to be."""
        return name in self._waiting or self._path(name).exists()

    def write(self, name: str, arrays: Mapping[str, StoredArray]) -> None:
        """Store arrays soon, unless there is something of that name already.

        Args:
            name: Lower-case letters, digits and hyphens.
            arrays: Never changed any more; not to be called `name` or `checksum`.
        """
        with self._changed:
            if not self.has(name):
                self._waiting[name] = arrays
                self._queue.put(name)

    def read(self, name: str) -> dict[str, StoredArray] | None:
        """The arrays of that name; None if there are none or they are damaged."""
        path = self._path(name)
        try:
            return _read(path, name)
        except ModelError as error:
            self._log.warning("not used: %s", error.message)
            self._remove(path)
        except OSError as error:
            self._log.warning("%s is not used: %s", path.name, error.strerror)
        return None

    def shape(self, name: str, key: str) -> tuple[int, ...] | None:
        """The shape of one stored array, by the file's header alone; None if there is none."""
        path = self._path(name)
        try:
            entry = read_header(path).get(key) if path.exists() else None
        except ModelError:
            return None
        return entry.shape if entry else None

    def used(self, names: Iterable[str]) -> None:
        """Let these be removed later than others, the first of them last."""
        now = time.time_ns()
        for place, name in enumerate(names):
            try:
                os.utime(self._path(name), ns=(now - place, now - place))
            except OSError:
                continue  # gone, or not written yet

    def flush(self, seconds: float | None = None) -> bool:
        """Wait until everything is written; False if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, seconds)

    def close(self, seconds: float) -> None:
        """Write what is waiting, as far as there is time, and end the thread."""
        self._queue.put(None)
        self.flush(seconds)

    def _path(self, name: str) -> Path:
        return self._folder / (name + _SUFFIX)

    def _write_all(self) -> None:
        self._tidy()
        while name := self._queue.get():
            try:
                self._write(name, self._waiting[name])
            except OSError as error:
                self._log.warning("%s is not kept: %s", name, error.strerror)
            finally:
                with self._changed:
                    del self._waiting[name]
                    self._changed.notify_all()

    def _tidy(self) -> None:
        try:
            if self._folder.is_dir():
                self._make_room(0)
        except OSError as error:
            self._log.warning("%s cannot be tidied: %s", self._folder, error.strerror)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._log.warning("%s cannot be removed: %s", path.name, error.strerror)

    def _write(self, name: str, arrays: Mapping[str, StoredArray]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        parts = _file_parts(name, arrays)
        size = sum(len(part) for part in parts)
        self._make_room(size)
        if shutil.disk_usage(self._folder).free - size < self._least_free:
            self._log.info("%s is not kept: the disk is nearly full", name)
            return
        temporary = self._folder / f"{_UNFINISHED}{os.getpid()}-{time.monotonic_ns()}"
        try:
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for part in parts:
                    file.write(part)
            temporary.rename(self._path(name))
        finally:
            temporary.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        """Remove what is too old, and the longest unused until `size` more bytes fit."""
        now = time.time()
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue  # another window of the app was faster
            is_unfinished = path.name.startswith(_UNFINISHED)
            limit = _ABANDONED_SECONDS if is_unfinished else self._max_age
            if now - status.st_mtime > limit:
                path.unlink(missing_ok=True)
            elif path.suffix == _SUFFIX:
                found.append((status.st_mtime_ns, status.st_size, path))
        total = size + sum(bytes_ for _, bytes_, _ in found)
        for _, bytes_, path in sorted(found):
            if total <= self._max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= bytes_


def _file_parts(name: str, arrays: Mapping[str, StoredArray]) -> list[memoryview]:
    """A safetensors file in pieces, of which no array is copied."""
    label = StoredArray("U8", np.frombuffer(name.encode(), np.uint8))
    seal = StoredArray("U32", np.zeros(1, "<u4"))
    header: dict[str, Any] = {}
    end = 0
    for key, array in {**arrays, _NAME: label, _CHECKSUM: seal}.items():
        start, end = end, end + array.bits.nbytes
        shape = list(array.bits.shape)
        header[key] = {"dtype": array.dtype, "shape": shape, "data_offsets": [start, end]}
    raw = json.dumps(header).encode()
    sealed = [memoryview(raw), *(_bytes(array) for array in (*arrays.values(), label))]
    for part in sealed:
        seal.bits[0] = zlib.crc32(part, int(seal.bits[0]))
    return [memoryview(struct.pack("<Q", len(raw))), *sealed, _bytes(seal)]


def _bytes(array: StoredArray) -> memoryview:
    return np.ascontiguousarray(array.bits).reshape(-1).view(np.uint8).data


def _read(path: Path, name: str) -> dict[str, StoredArray] | None:
    """The arrays of a file; None if there is none.

    Raises:
        ModelError: It is not what was written under that name.
        OSError: It cannot be read.
    """
    if not path.exists():
        return None
    header = read_header(path)
    content = np.fromfile(path, np.uint8)[8:]  # behind the length of the header
    begin = len(content) - max((entry.stop for entry in header.values()), default=0)
    label, seal = header.pop(_NAME, None), header.pop(_CHECKSUM, None)
    if label is None or seal is None or (seal.dtype, seal.shape) != ("U32", (1,)):
        raise ModelError(f"{path.name} is no file of this cache.")
    end = begin + seal.start
    if begin < 0 or zlib.crc32(content[:end].data) != int(content[end : end + 4].view("<u4")[0]):
        raise ModelError(f"{path.name} is damaged: its checksum is another.")
    data = content[begin:]
    if data[label.start : label.stop].tobytes() != name.encode():
        raise ModelError(f"{path.name} is another file of this cache.")
    return {key: StoredArray(entry.dtype, _view(data, entry)) for key, entry in header.items()}


def _view(data: NDArray[np.uint8], entry: StoredTensor) -> NDArray[Any]:
    return data[entry.start : entry.stop].view(_UNITS[entry.dtype]).reshape(entry.shape)
