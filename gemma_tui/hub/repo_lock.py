"""One writer for each model, whatever process it is. A lock dies with its process."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gemma_tui.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gemma_tui.hub.cache import RepoFolder


@contextmanager
def repo_lock(folder: RepoFolder) -> Iterator[None]:
    """Hold the lock of a repository of the shared cache.

    Raises:
        DownloadError: Another process has it.
        OSError: The file cannot be made.
    """
    folder.own.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with _locked(descriptor, f"{folder.repo} is being downloaded or changed"):
        yield


@contextmanager
def folder_lock(folder: Path, name: str) -> Iterator[None]:
    """Make a folder that is being filled, and hold the lock of it.

    Args:
        folder: It.
        name: What it will be, for the sentence.

    Raises:
        DownloadError: Another process has it.
        OSError: It cannot be made.
    """
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    with _locked(descriptor, f"{name} is being copied"):
        yield


@contextmanager
def _locked(descriptor: int, what: str) -> Iterator[None]:
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DownloadError(
                f"{what} by another gemma-tui.", "Wait for it, or stop it first."
            ) from error
        yield
    finally:
        os.close(descriptor)
