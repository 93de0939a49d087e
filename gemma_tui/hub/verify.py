"""Reads every file of a downloaded model again and compares it with the hub's digest. Offline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemma_tui.errors import DownloadError
from gemma_tui.hub.cache import RepoFolder
from gemma_tui.hub.digest import blocks
from gemma_tui.hub.disk_faults import disk_faults
from gemma_tui.hub.downloaded import ModelState
from gemma_tui.hub.publication import seal, stored_listing, unseal
from gemma_tui.hub.repo_lock import repo_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.hub.downloaded import DownloadedModel


@dataclass(frozen=True, slots=True)
class VerifyProgress:
    """How far it is."""

    done_bytes: int
    total_bytes: int
    file: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The last event."""

    files: int
    """How many were read."""
    damaged: tuple[str, ...]
    """Names of those that are wrong or missing; a download of the model replaces them."""


def verify(model: DownloadedModel) -> Iterator[VerifyProgress | Verified]:
    """Compare every file with its digest, and note the result. Blocks: run it in a thread.

    Args:
        model: From `downloaded_models`.

    Raises:
        DownloadError: It is not whole, the hub's listing is not on this disk, or somebody changes
            the model.
        StorageError: A file cannot be read, or the result cannot be noted.
    """
    if model.state is ModelState.PARTIAL:
        raise DownloadError(
            f"{model.repo} is not whole on this disk.",
            f"gemma-tui models pull {model.repo} gets the rest, and verifies it.",
        )
    folder = RepoFolder(model.folder.parents[2], model.repo)
    listing = stored_listing(folder, model.revision)
    if listing is None:
        raise DownloadError(
            f"What {model.repo} should be is not known on this disk: another program brought it.",
            f"gemma-tui models pull {model.repo}@{model.revision} verifies it, and fetches only"
            " what is wrong.",
        )
    total, done, damaged = sum(file.size_bytes for file in listing.needed), 0, []
    with disk_faults(folder.cache), repo_lock(folder):
        for file in listing.needed:
            path, hasher, size = folder.snapshot(model.revision) / file.name, file.hasher(), 0
            for block in blocks(path):
                hasher.update(block)
                size += len(block)
                yield VerifyProgress(min(done + size, total), total, file.name)
            done += file.size_bytes
            if size != file.size_bytes or hasher.hexdigest() != file.digest:
                damaged.append(file.name)
        if damaged:
            unseal(folder, model.revision)
        else:
            seal(folder, listing)
    yield Verified(len(listing.needed), tuple(damaged))
