"""Downloads from a hub that behaves: what comes, what it leaves on the disk, who else understands it."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import huggingface_hub
import pytest

from gemma_tui.errors import DownloadError, UnreachableHubError, UsageError
from gemma_tui.hub.cache import RepoFolder
from gemma_tui.hub.download import download
from gemma_tui.hub.download_events import Downloaded, DownloadPlanned, DownloadProgress
from gemma_tui.hub.downloaded import ModelState, downloaded_models, find_downloaded
from gemma_tui.hub.listing import read_listing
from gemma_tui.hub.remove import discard_partial
from gemma_tui.hub.verify import Verified, verify
from tests.hub.conftest import pull
from tests.hub_server import COMMIT, REPO, HubServer

if TYPE_CHECKING:
    from pathlib import Path

    from gemma_tui.hub.download_events import DownloadOrder


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_what_was_downloaded_is_what_the_hub_has(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    events = await pull(order)
    total = hub.total_bytes
    assert events[0] == DownloadPlanned(REPO, COMMIT, len(hub.files), total, 0)
    folder = cache / "models--tests--tiny-gemma" / "snapshots" / COMMIT
    assert events[-1] == Downloaded(REPO, COMMIT, folder, total, total)
    assert content_of(folder) == hub.files
    assert hub.sent_bytes == total
    [model] = downloaded_models(cache)
    assert (model.repo, model.revision, model.folder) == (REPO, COMMIT, folder)
    assert (model.state, model.size_bytes, model.done_bytes) == ("verified", total, total)
    assert model.is_usable


async def test_a_second_download_verifies_and_fetches_nothing(
    hub: HubServer, order: DownloadOrder
) -> None:
    await pull(order)
    before = hub.sent_bytes
    last = (await pull(order))[-1]
    assert isinstance(last, Downloaded)
    assert (last.fetched_bytes, hub.sent_bytes) == (0, before)


async def test_several_connections_bring_one_file(hub: HubServer, order: DownloadOrder) -> None:
    hub.bytes_per_second = 4e6
    await pull(order)
    parts = [asked for asked in hub.asked if asked.kind == "cdn"]
    assert len(parts) == -(-len(hub.files["model.safetensors"]) // order.stretch_bytes)
    # What the hub leads to is asked directly from then on.
    assert hub.count("resolve", "model.safetensors") <= order.connections
    assert not any("Authorization" in asked.headers for asked in hub.asked)
    agents = {asked.headers["User-Agent"].split("/")[0] for asked in hub.asked}
    assert agents == {"gemma-tui"}


async def test_huggingface_hub_reads_the_same_listing(hub: HubServer) -> None:
    """The hub of these tests speaks as the real one does."""
    api = huggingface_hub.HfApi(hub.endpoint, token=False)
    info = await asyncio.to_thread(api.model_info, REPO, revision="main", files_metadata=True)
    assert info.sha == COMMIT
    listing = read_listing(REPO, hub.listing())
    assert [file.rfilename for file in info.siblings or ()] == [f.name for f in listing.files]
    for file, sibling in zip(listing.files, info.siblings or (), strict=True):
        sha256 = sibling.lfs.sha256 if sibling.lfs else ""
        about = (sibling.size, sibling.blob_id, sha256)
        assert about == (file.size_bytes, file.blob_id, file.sha256)


async def test_huggingface_hub_finds_it(hub: HubServer, order: DownloadOrder, cache: Path) -> None:
    await pull(order)
    found = huggingface_hub.snapshot_download(REPO, cache_dir=cache, local_files_only=True)
    assert content_of(type(cache)(found)) == hub.files
    info = huggingface_hub.scan_cache_dir(cache)
    assert not info.warnings
    [repo] = info.repos
    [revision] = repo.revisions
    assert (repo.repo_id, revision.commit_hash, set(revision.refs)) == (REPO, COMMIT, {"main"})
    assert revision.size_on_disk == hub.total_bytes


async def test_nothing_is_fetched_that_huggingface_hub_has(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    await pull(order)
    folder = RepoFolder(cache, REPO)
    for path in (folder.seal(COMMIT), folder.tree(COMMIT)):
        path.unlink()  # as if another program had brought it
    [model] = downloaded_models(cache)
    assert model.state is ModelState.UNVERIFIED
    with pytest.raises(DownloadError, match="another program brought it"):
        list(verify(model))
    last = (await pull(replace(order, revision=COMMIT)))[-1]
    assert isinstance(last, Downloaded)
    assert last.fetched_bytes == 0
    assert downloaded_models(cache)[0].state is ModelState.VERIFIED


async def test_only_what_a_model_needs_comes(hub: HubServer, order: DownloadOrder) -> None:
    extra = {
        "modeling.py": b"raise SystemExit",
        "pytorch_model.bin": b"PK\3\4",
        "model.gguf": b"GGUF",
        ".gitattributes": b"*",
        "onnx/model.json": b"{}",
        "photo.png": b"\x89PNG",
    }
    wanted = dict(hub.files)
    hub.files |= extra
    last = (await pull(order))[-1]
    assert isinstance(last, Downloaded)
    assert content_of(last.folder) == wanted
    assert not {asked.name for asked in hub.asked} & set(extra)


async def test_a_pause_keeps_what_came(hub: HubServer, order: DownloadOrder, cache: Path) -> None:
    hub.bytes_per_second = 2e6
    async with aclosing(download(order)) as events:
        async for event in events:
            if isinstance(event, DownloadProgress) and event.done_bytes > 2_000_000:
                break
    [model] = downloaded_models(cache)
    assert model.state is ModelState.PARTIAL
    assert 2_000_000 < model.done_bytes < model.size_bytes == hub.total_bytes
    assert not model.is_usable
    assert not model.folder.exists()
    hub.bytes_per_second = None
    events_after = await pull(order)
    assert isinstance(events_after[0], DownloadPlanned)
    assert events_after[0].done_bytes == model.done_bytes
    assert content_of(model.folder) == hub.files
    assert hub.sent_bytes <= hub.total_bytes + 1024 * 1024


async def test_what_is_given_up_leaves_nothing(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    hub.bytes_per_second = 4e6
    async with aclosing(download(order)) as events:
        async for event in events:
            if isinstance(event, DownloadProgress) and event.done_bytes > 2_000_000:
                break
    assert discard_partial(cache, REPO) >= 2_000_000
    assert not RepoFolder(cache, REPO).path.exists()
    assert downloaded_models(cache) == ()


async def test_two_downloads_of_one_model_do_not_meet(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    hub.bytes_per_second = 4e6
    async with aclosing(download(order)) as first:
        await anext(first)
        with pytest.raises(DownloadError, match="by another gemma-tui"):
            await pull(order)
        with pytest.raises(DownloadError, match="by another gemma-tui"):
            discard_partial(cache, REPO)
        rest = [event async for event in first]
    assert isinstance(rest[-1], Downloaded)


async def test_a_newer_commit_shares_what_did_not_change(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    await pull(order)
    hub.commit, old = "f" * 40, hub.commit
    hub.files["README.md"] = b"# Another\n"
    last = (await pull(order))[-1]
    assert isinstance(last, Downloaded)
    assert last.fetched_bytes == len(b"# Another\n")
    assert {model.revision for model in downloaded_models(cache)} == {old, hub.commit}
    best = find_downloaded(cache, REPO)
    assert best is not None
    assert best.revision == hub.commit
    named = find_downloaded(cache, REPO, old[:7])
    assert named is not None
    assert named.revision == old


async def test_a_damaged_blob_is_found_and_replaced(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    await pull(order)
    blob = RepoFolder(cache, REPO).blobs / hub.digest("model.safetensors")
    status = blob.stat()
    with blob.open("r+b") as file:
        file.seek(5_000_000)
        byte = file.read(1)
        file.seek(5_000_000)
        file.write(bytes([byte[0] ^ 1]))
    assert downloaded_models(cache)[0].state is ModelState.UNVERIFIED
    os.utime(blob, ns=(status.st_atime_ns, status.st_mtime_ns))  # a disk that rots tells nobody
    [model] = downloaded_models(cache)
    assert model.state is ModelState.VERIFIED
    assert list(verify(model))[-1] == Verified(len(hub.files), ("model.safetensors",))
    assert downloaded_models(cache)[0].state is ModelState.UNVERIFIED
    last = (await pull(order))[-1]
    assert isinstance(last, Downloaded)
    assert last.fetched_bytes == len(hub.files["model.safetensors"])
    assert content_of(last.folder) == hub.files
    assert downloaded_models(cache)[0].state is ModelState.VERIFIED


@pytest.mark.parametrize(
    "repo", ["../../etc", "a", "a/b/c", "a/../b", "a--b/c", "/a/b", "a\0/b", "a/b\n"]
)
async def test_a_name_that_is_none_is_refused(order: DownloadOrder, repo: str) -> None:
    with pytest.raises(UsageError, match="no name of a repository"):
        await pull(replace(order, repo=repo))


@pytest.mark.parametrize("revision", ["../main", "a//b", "", "-x", "a b", "x/"])
async def test_a_revision_that_is_none_is_refused(order: DownloadOrder, revision: str) -> None:
    with pytest.raises(UsageError, match="is no revision"):
        await pull(replace(order, revision=revision))


async def test_offline_mode_forbids_it(
    hub: HubServer, order: DownloadOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UnreachableHubError, match="HF_HUB_OFFLINE"):
        await pull(order)
    assert not hub.asked


async def test_the_token_goes_to_the_hub_alone(
    hub: HubServer, order: DownloadOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret\n")
    await pull(order)
    assert {asked.headers.get("Authorization") for asked in hub.asked} == {"Bearer hf_secret"}


async def test_a_download_ends_with_its_task(hub: HubServer, order: DownloadOrder) -> None:
    hub.bytes_per_second = 1e6
    task = asyncio.create_task(pull(order))
    await asyncio.to_thread(hub.wait_sent, 500_000, task.done)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == 1
