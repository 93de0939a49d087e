"""Which Gemma 4 models the shared cache holds, and how far each can be trusted. Never the network.

A folder of another program's making may be whole, and may not: only what was verified here, and not
touched since, is called verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gemma_tui.hub.cache import RepoFolder, is_commit, repo_of
from gemma_tui.hub.on_disk import MODEL_TYPES, read_model
from gemma_tui.hub.partial_file import done_bytes
from gemma_tui.hub.publication import (
    is_sealed,
    is_whole,
    read_json,
    stored_listing,
    stored_plan,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gemma_tui.hub.listing import RepoListing

_INDEX: Final = "model.safetensors.index.json"


class ModelState(StrEnum):
    """How far what is on the disk can be trusted."""

    VERIFIED = "verified"
    """Every file was compared with the hub's digest, and not changed since."""
    UNVERIFIED = "unverified"
    """Seems whole; another program's, or touched since it was verified."""
    PARTIAL = "partial"
    """Some of it is missing; a download goes on there."""
    DAMAGED = "damaged"
    """A file has not the size it should have."""


@dataclass(frozen=True, slots=True)
class DownloadedModel:
    """A model of the shared cache, at one commit."""

    repo: str
    """`owner/name`."""
    revision: str
    """The commit."""
    folder: Path
    """The model folder; not there yet while a download is partial."""
    state: ModelState
    size_bytes: int
    """In the end; what is there if that is not known."""
    done_bytes: int
    """What is there."""

    @property
    def is_usable(self) -> bool:
        """Whether it may be loaded."""
        return self.state in {ModelState.VERIFIED, ModelState.UNVERIFIED}


def downloaded_models(cache: Path) -> tuple[DownloadedModel, ...]:
    """Every Gemma 4 of the cache, by name. Reads the disk: not for an event loop.

    Args:
        cache: The shared cache; need not be there.
    """
    try:
        names = sorted(path.name for path in cache.iterdir() if path.is_dir())
    except OSError:
        return ()
    repos = filter(None, map(repo_of, names))
    return tuple(model for repo in repos for model in _models(RepoFolder(cache, repo)))


def find_downloaded(cache: Path, repo: str, revision: str = "") -> DownloadedModel | None:
    """The best copy of a repository: verified before unverified before partial.

    Args:
        cache: The shared cache.
        repo: `owner/name`; upper and lower case make no difference if no name fits exactly.
        revision: Only this commit, branch or beginning of a commit; empty takes any.
    """
    folders = [RepoFolder(cache, repo)]
    if not folders[0].path.is_dir():
        try:
            others = filter(None, (repo_of(path.name) for path in sorted(cache.iterdir())))
        except OSError:
            return None
        folders = [RepoFolder(cache, o) for o in others if o.lower() == repo.lower()]
    found = [
        model
        for folder in folders
        for model in _models(folder)
        if not revision or _is_revision(folder, model.revision, revision)
    ]
    # The branch is what other programs would take, so it comes first among equals.
    order = list(ModelState)
    return min(found, key=lambda m: (order.index(m.state), not _is_main(m, cache)), default=None)


def _is_revision(folder: RepoFolder, commit: str, revision: str) -> bool:
    if len(revision) >= 7 and commit.startswith(revision):
        return True
    try:
        return (folder.refs / revision).read_text(encoding="utf-8").strip() == commit
    except (OSError, ValueError):
        return False


def _is_main(model: DownloadedModel, cache: Path) -> bool:
    return _is_revision(RepoFolder(cache, model.repo), model.revision, "main")


def _models(folder: RepoFolder) -> Iterator[DownloadedModel]:
    seen = set()
    try:
        commits = sorted(p.name for p in folder.snapshots.iterdir() if is_commit(p.name))
    except OSError:
        commits = []
    for commit in commits:
        model = _snapshot(folder, commit)
        if model is not None:
            seen.add(commit)
            yield model
    plan = stored_plan(folder)
    if plan is not None and plan.commit not in seen:
        yield _planned(folder, plan)


def _snapshot(folder: RepoFolder, commit: str) -> DownloadedModel | None:
    """A commit of the cache; None if it is no Gemma 4."""
    place = folder.snapshot(commit)
    if read_json(place / "config.json").get("model_type") not in MODEL_TYPES:
        return None
    listing = stored_listing(folder, commit)
    if listing is None:
        model = read_model(place)
        state = ModelState.UNVERIFIED if _seems_whole(place, model.problem) else ModelState.PARTIAL
        size = model.size_bytes
        return DownloadedModel(folder.repo, commit, place, state, size, size)
    total = sum(file.size_bytes for file in listing.needed)
    sizes = {file.name: _size(place / file.name) for file in listing.needed}
    done = sum(size for size in sizes.values() if size is not None)
    if any(sizes[file.name] not in {None, file.size_bytes} for file in listing.needed):
        state = ModelState.DAMAGED
    elif None in sizes.values():
        state, done = ModelState.PARTIAL, _done(folder, listing)
    else:
        state = ModelState.VERIFIED if is_sealed(folder, commit) else ModelState.UNVERIFIED
    return DownloadedModel(folder.repo, commit, place, state, total, done)


def _planned(folder: RepoFolder, plan: RepoListing) -> DownloadedModel:
    total = sum(file.size_bytes for file in plan.needed)
    place, state = folder.snapshot(plan.commit), ModelState.PARTIAL
    return DownloadedModel(folder.repo, plan.commit, place, state, total, _done(folder, plan))


def _done(folder: RepoFolder, listing: RepoListing) -> int:
    return sum(
        file.size_bytes if is_whole(folder, file) else done_bytes(folder.partial(file.digest))
        for file in listing.needed
    )


def _seems_whole(place: Path, problem: str) -> bool:
    """Whether every shard is there that the index names."""
    if problem:
        return False
    shards = read_json(place / _INDEX).get("weight_map", {})
    names = set(shards.values()) if isinstance(shards, dict) else set()
    return all(_size(place / Path(str(name)).name) is not None for name in names)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
