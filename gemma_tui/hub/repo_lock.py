"""One writer for each folder of the shared cache, whatever process it is."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gemma_tui.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.hub.cache import RepoFolder


@contextmanager
def repo_lock(folder: RepoFolder) -> Iterator[None]:
    """Hold the lock of a repository; it dies with the process, however that ends.

    Raises:
        DownloadError: Another process has it.
        OSError: The file cannot be made.
    """
    folder.own.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DownloadError(
                f"{folder.repo} is being downloaded or changed by another gemma-tui.",
                "Wait for it, or stop it first.",
            ) from error
        yield
    finally:
        os.close(descriptor)
