"""Removing models from the shared cache: what it frees, and what it must leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import huggingface_hub

from gemma_tui.hub.cache import RepoFolder
from gemma_tui.hub.downloaded import downloaded_models, find_downloaded
from gemma_tui.hub.local_models import local_folders
from gemma_tui.hub.remove import removal, remove
from tests.hub.conftest import pull
from tests.hub_server import COMMIT, REPO, HubServer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gemma_tui.hub.download_events import DownloadOrder

OTHER = "f" * 40
BLOCK = 4096


async def two_commits(hub: HubServer, order: DownloadOrder) -> None:
    """The same weights twice, with another README."""
    await pull(order)
    hub.commit = OTHER
    hub.files["README.md"] = b"# Another\n"
    await pull(order)


async def test_files_of_another_commit_stay(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    await two_commits(hub, order)
    old = find_downloaded(cache, REPO, COMMIT)
    assert old is not None
    plan = removal(old)
    assert 0 < plan.freed_bytes <= 2 * BLOCK
    shared = hub.total_bytes - len(hub.files["README.md"])
    assert shared <= plan.kept_bytes <= shared + len(hub.files) * BLOCK
    assert remove(old) == plan
    [left] = downloaded_models(cache)
    assert (left.revision, left.state) == (OTHER, "verified")
    assert {path.name: path.read_bytes() for path in left.folder.iterdir()} == hub.files
    info = huggingface_hub.scan_cache_dir(cache)
    assert not info.warnings
    assert [revision.commit_hash for repo in info.repos for revision in repo.revisions] == [OTHER]
    plan = removal(left)
    assert plan.freed_bytes >= hub.total_bytes
    assert plan.kept_bytes == 0
    remove(left)
    assert not RepoFolder(cache, REPO).path.exists()


async def test_a_model_of_another_program_goes_as_well(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    await pull(order)
    folder = RepoFolder(cache, REPO)
    folder.tree(COMMIT).unlink()
    folder.seal(COMMIT).unlink()
    weights = folder.snapshot(COMMIT) / "model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(content)  # where there are no links, a file lies in the snapshot itself
    (model,) = downloaded_models(cache)
    assert removal(model).freed_bytes >= hub.total_bytes
    remove(model)
    assert not folder.path.exists()


async def test_only_what_may_be_loaded_is_offered(
    hub: HubServer, order: DownloadOrder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    assert local_folders(cache.parent / "none") == ()
    await pull(order)
    snapshot = RepoFolder(cache, REPO).snapshot(COMMIT)
    assert local_folders(cache.parent / "none") == (str(snapshot),)
    (RepoFolder(cache, REPO).blobs / hub.digest("model.safetensors")).write_bytes(b"cut off")
    (model,) = downloaded_models(cache)
    assert model.state == "damaged"
    assert local_folders(cache.parent / "none") == ()
