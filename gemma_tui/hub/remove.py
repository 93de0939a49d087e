"""Removes a downloaded model, and says beforehand what that frees.

A file that another commit of the same repository links to as well stays. What is removed disappears
as a model in one step; a removal that is killed leaves files that no model uses, and the next one
takes them along.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gemma_tui.hub.cache import RepoFolder
from gemma_tui.hub.disk_faults import disk_faults
from gemma_tui.hub.publication import discard_parts, stored_plan, unseal
from gemma_tui.hub.repo_lock import repo_lock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.hub.downloaded import DownloadedModel


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing a model means."""

    folder: Path
    """The model folder."""
    freed_bytes: int
    """Space on the disk that nobody uses then; each file counted once."""
    kept_bytes: int
    """Files of it that stay, because another commit has them, too."""


def removal(model: DownloadedModel) -> Removal:
    """What `remove` would do. Reads the disk: not for an event loop.

    Args:
        model: From `downloaded_models`.

    Raises:
        StorageError: The cache cannot be read.
    """
    folder = RepoFolder(model.folder.parents[2], model.repo)
    with disk_faults(folder.cache):
        mine, others = _blobs_of(folder, model.revision), _blobs_of_others(folder, model.revision)
        parts = _parts(folder) if _is_planned(folder, model) or not others else []
        loose = [path for path in _files(folder.snapshot(model.revision)) if not path.is_symlink()]
        unused = [] if others or stored_plan(folder) else list(_files(folder.blobs))
        freed = {*(mine - others), *parts, *loose, *unused}
        return Removal(model.folder, _space(freed), _space(mine & others))


def remove(model: DownloadedModel) -> Removal:
    """Remove a model from the shared cache; the folder of its repository, too, if it was the last.

    Raises:
        DownloadError: It is being downloaded.
        StorageError: It cannot be removed.
    """
    folder = RepoFolder(model.folder.parents[2], model.repo)
    with disk_faults(folder.cache), repo_lock(folder):
        done = removal(model)
        mine, others = _blobs_of(folder, model.revision), _blobs_of_others(folder, model.revision)
        unseal(folder, model.revision)
        snapshot, grave = folder.snapshot(model.revision), folder.own / f"removed-{model.revision}"
        if snapshot.is_dir():
            shutil.rmtree(grave, ignore_errors=True)
            snapshot.rename(grave)
            shutil.rmtree(grave)
        if _is_planned(folder, model):
            folder.plan.unlink(missing_ok=True)
            discard_parts(folder, set())
        for ref in _files(folder.refs):
            if ref.read_text(encoding="utf-8", errors="replace").strip() == model.revision:
                ref.unlink()
        for blob in mine - others:
            blob.unlink(missing_ok=True)
        folder.tree(model.revision).unlink(missing_ok=True)
        if not any(folder.snapshots.iterdir()) and not folder.plan.exists():
            shutil.rmtree(folder.path)
        return done


def discard_partial(cache: Path, repo: str) -> int:
    """Give up a download that is not finished; returns the bytes that are freed.

    Args:
        cache: The shared cache.
        repo: `owner/name`.

    Raises:
        DownloadError: It is being downloaded.
        StorageError: It cannot be removed.
    """
    folder = RepoFolder(cache, repo)
    if not folder.own.is_dir():
        return 0
    with disk_faults(cache), repo_lock(folder):
        # Whole files of it, too, that no snapshot uses.
        unused = set(_files(folder.blobs)) - _blobs_of_others(folder, "")
        freed = _space({*_parts(folder), *unused})
        folder.plan.unlink(missing_ok=True)
        discard_parts(folder, set())
        for blob in unused:
            blob.unlink(missing_ok=True)
        if not any(folder.snapshots.iterdir()):
            shutil.rmtree(folder.path)
    return freed


def _is_planned(folder: RepoFolder, model: DownloadedModel) -> bool:
    plan = stored_plan(folder)
    return plan is not None and plan.commit == model.revision


def _parts(folder: RepoFolder) -> list[Path]:
    return [*folder.own.glob("*.partial"), *folder.own.glob("*.journal")]


def _blobs_of(folder: RepoFolder, commit: str) -> set[Path]:
    """The files among the blobs that a snapshot links to, or an unfinished download has."""
    links = (path for path in _files(folder.snapshot(commit)) if path.is_symlink())
    # One step only: a blob may itself be a link into a store that other repositories share.
    targets = {Path(os.path.normpath(link.parent / link.readlink())) for link in links}
    plan = stored_plan(folder)
    if plan is not None and plan.commit == commit:
        targets |= {folder.blobs / file.digest for file in plan.needed}
    return {path for path in targets if path.parent == folder.blobs and path.exists()}


def _blobs_of_others(folder: RepoFolder, commit: str) -> set[Path]:
    plan = stored_plan(folder)
    commits = (
        {path.name for path in folder.snapshots.iterdir()} if folder.snapshots.is_dir() else set()
    )
    commits |= {plan.commit} if plan and commit else set()
    return {blob for other in commits - {commit} for blob in _blobs_of(folder, other)}


def _files(folder: Path) -> Iterable[Path]:
    return (p for p in folder.rglob("*") if p.is_symlink() or p.is_file())


def _space(paths: Iterable[Path]) -> int:
    """What files take on the disk, which for one with holes is less than its length."""
    return sum(path.lstat().st_blocks * 512 for path in paths if path.exists())
