"""Makes verified files a model: links, the listing, the branch, and the seal, in this order.

A snapshot appears under its name in one step, when every file it links to is whole. What was
verified is sealed last: a seal names files, their sizes and the times of their last change, so that
a file that was touched since counts as unverified.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gemma_tui.hub.cache import is_commit
from gemma_tui.hub.listing import read_tree_record, tree_record

if TYPE_CHECKING:
    from gemma_tui.hub.cache import RepoFolder
    from gemma_tui.hub.listing import RepoFile, RepoListing

_MAX_RECORD_BYTES: Final = 16 * 1024 * 1024


def publish(folder: RepoFolder, listing: RepoListing, revision: str) -> Path:
    """Make the needed files of `listing`, all of them among the blobs and verified, a model.

    Args:
        folder: Of the repository; its lock is held.
        listing: What was downloaded.
        revision: What was asked for: a branch is noted, so that others find it offline.

    Returns:
        The model folder.

    Raises:
        OSError: It cannot be written.
    """
    _write_json(folder, folder.tree(listing.commit), tree_record(listing.files))
    snapshot = folder.snapshot(listing.commit)
    fresh = folder.own / f"snapshot-{listing.commit}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for file in listing.needed:
        (fresh / file.name).symlink_to(f"../../blobs/{file.digest}")
    folder.snapshots.mkdir(exist_ok=True)
    if snapshot.exists():  # another program's, with some of the files
        for link in fresh.iterdir():
            link.replace(snapshot / link.name)
        fresh.rmdir()
    else:
        fresh.rename(snapshot)
    if not is_commit(revision):
        _write(folder, folder.refs / revision, listing.commit)
    seal(folder, listing)
    return snapshot


def seal(folder: RepoFolder, listing: RepoListing) -> None:
    """Note that every needed file of a snapshot was verified just now.

    Raises:
        OSError: It cannot be written, or one of the files is not there.
    """
    files = {
        file.name: _stamp(folder.snapshot(listing.commit) / file.name) for file in listing.needed
    }
    _write_json(folder, folder.seal(listing.commit), {"format_version": 1, "files": files})


def unseal(folder: RepoFolder, commit: str) -> None:
    """Note that a snapshot is not what it should be."""
    folder.seal(commit).unlink(missing_ok=True)


def is_sealed(folder: RepoFolder, commit: str) -> bool:
    """Whether every file of a snapshot is as it was when it was verified."""
    record = read_json(folder.seal(commit))
    files = record.get("files")
    if record.get("format_version") != 1 or not isinstance(files, dict) or not files:
        return False
    try:
        return all(
            stamp == _stamp(folder.snapshot(commit) / Path(name).name)
            for name, stamp in files.items()
        )
    except OSError:
        return False


def stored_listing(folder: RepoFolder, commit: str) -> RepoListing | None:
    """What the hub lists for a snapshot, from the disk; None if that was never written."""
    record = read_json(folder.tree(commit))
    return read_tree_record(folder.repo, commit, record)


def write_plan(folder: RepoFolder, listing: RepoListing) -> None:
    """Note what a download is to bring, so that it is known while it is not whole.

    Raises:
        OSError: It cannot be written.
    """
    record = {"commit": listing.commit, **tree_record(listing.needed)}
    _write_json(folder, folder.plan, record)


def stored_plan(folder: RepoFolder) -> RepoListing | None:
    """What an unfinished download is to bring; None if there is none."""
    record = read_json(folder.plan)
    commit = record.get("commit")
    if not isinstance(commit, str) or not is_commit(commit):
        return None
    return read_tree_record(folder.repo, commit, record)


def is_whole(folder: RepoFolder, file: RepoFile) -> bool:
    """Whether a file is among the blobs, by its size."""
    try:
        return (folder.blobs / file.digest).stat().st_size == file.size_bytes
    except OSError:
        return False


def discard_parts(folder: RepoFolder, kept: set[str]) -> None:
    """Remove what is there of files that are not whole.

    Args:
        folder: Of the repository; its lock is held.
        kept: Digests of files that are wanted.
    """
    for path in (*folder.own.glob("*.partial"), *folder.own.glob("*.journal")):
        if path.stem not in kept:
            path.unlink()


def read_json(path: Path) -> dict[str, Any]:
    """A table in a JSON file; empty if it is not there or is none."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_RECORD_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _write_json(folder: RepoFolder, path: Path, value: object) -> None:
    _write(folder, path, json.dumps(value, indent=1))


def _write(folder: RepoFolder, path: Path, text: str) -> None:
    """Write a small file, whole or not at all; until then it lies where nobody else looks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder.own.mkdir(exist_ok=True)
    partial = folder.own / f"{path.name}.new"
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
