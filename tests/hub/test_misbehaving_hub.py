"""Downloads from a hub that misbehaves: never a model that is wrong, nothing outside its folder."""

from __future__ import annotations

import asyncio
import gzip
import os
import resource
import shutil
import signal
from collections import defaultdict
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from gemma_tui.errors import (
    DamagedDownloadError,
    DiskFullError,
    DownloadError,
    GemmaError,
    RefusedDownloadError,
    UnreachableHubError,
    UsageError,
)
from gemma_tui.hub.cache import RepoFolder
from gemma_tui.hub.download import download
from gemma_tui.hub.download_events import (
    Downloaded,
    DownloadProgress,
    DownloadWaiting,
)
from gemma_tui.hub.downloaded import ModelState, downloaded_models
from gemma_tui.hub.hub_client import HubClient, connected_host
from gemma_tui.hub.hub_faults import pause_seconds
from tests.hub.conftest import PATIENCE, impatient, pull
from tests.hub_server import COMMIT, REPO, Asked, Fault, HubServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gemma_tui.hub.download_events import DownloadOrder

WEIGHTS = "model.safetensors"
LOGIN_PAGE = b"<!doctype html><title>Welcome to the hotel</title>"


def no_model(cache: Path) -> bool:
    """Whether nothing in the cache could be taken for a model, by us or by others."""
    snapshots = RepoFolder(cache, REPO).snapshots
    found = list(snapshots.iterdir()) if snapshots.is_dir() else []
    return not found and not any(model.is_usable for model in downloaded_models(cache))


def no_folder(cache: Path) -> bool:
    """Whether nothing was written at all."""
    return not cache.exists()


def whole_model(cache: Path, hub: HubServer) -> bool:
    """Whether the cache holds the hub's model, byte for byte."""
    [model] = downloaded_models(cache)
    here = {path.name: path.read_bytes() for path in model.folder.iterdir()}
    return model.state is ModelState.VERIFIED and here == hub.files


def times(
    count: int, fault: Fault, kind: str = "cdn", name: str = WEIGHTS
) -> Callable[[Asked], Fault | None]:
    """A rule: the first `count` requests of a kind for a file go wrong."""
    return lambda asked: (
        fault if (asked.kind, asked.name) == (kind, name) and asked.number < count else None
    )


def always(fault: Fault, kind: str = "cdn", name: str = WEIGHTS) -> Callable[[Asked], Fault | None]:
    return times(10**9, fault, kind, name)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(408, "cdn"), (429, "resolve"), (500, "cdn"), (502, "resolve"), (503, "cdn"), (504, "cdn")],
)
async def test_a_passing_fault_is_outlived(
    hub: HubServer, order: DownloadOrder, cache: Path, status: int, kind: str
) -> None:
    hub.rule = times(2, Fault(status, {"Retry-After": "0"}), kind)
    await pull(replace(order, connections=1))
    assert whole_model(cache, hub)
    assert hub.sent_bytes == hub.total_bytes


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (401, RefusedDownloadError, "gives no access"),
        (403, RefusedDownloadError, "gives no access"),
        (404, RefusedDownloadError, "There is no"),
        (418, RefusedDownloadError, "does not give out"),
        (429, RefusedDownloadError, "too many requests"),
        (500, UnreachableHubError, "a fault of its own"),
        (503, UnreachableHubError, "a fault of its own"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "name"),
    [("listing", ""), ("resolve", WEIGHTS), ("resolve", "config.json"), ("cdn", WEIGHTS)],
)
async def test_a_lasting_refusal_is_told(
    hub: HubServer,
    order: DownloadOrder,
    cache: Path,
    status: int,
    error: type[GemmaError],
    sentence: str,
    kind: str,
    name: str,
) -> None:
    hub.rule = always(Fault(status, {"Retry-After": "0"}, LOGIN_PAGE), kind, name)
    with pytest.raises(error, match=sentence) as caught:
        await pull(order)
    assert caught.value.hint
    assert no_model(cache)
    hub.rule = lambda _: None
    await pull(order)
    assert whole_model(cache, hub)


async def test_a_pause_that_is_asked_for_is_told_and_kept(
    hub: HubServer, order: DownloadOrder
) -> None:
    hub.rule = times(1, Fault(429, {"Retry-After": "1"}))
    events = await pull(replace(order, connections=1))
    [waiting] = [event for event in events if isinstance(event, DownloadWaiting)]
    assert waiting.seconds == 1
    assert "too many requests" in waiting.reason
    hub.rule = always(Fault(429, {"Retry-After": "3600"}), "listing", "")
    with pytest.raises(RefusedDownloadError, match="wait 60 minutes"):
        await pull(order)


def test_a_pause_may_be_a_date() -> None:
    assert pause_seconds("120") == 120
    assert pause_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert (pause_seconds("Fri, 01 Jan 2100 00:00:00 GMT") or 0) > 1e9
    assert pause_seconds("soon") is pause_seconds("") is None


@pytest.mark.parametrize("place", [0, 3_000_000, -1])
async def test_a_flipped_byte_is_fetched_again(
    hub: HubServer, order: DownloadOrder, cache: Path, place: int
) -> None:
    position = place % len(hub.files[WEIGHTS])
    damaging = Fault(flip=position)

    def first_time(asked: Asked) -> Fault | None:
        before = sum(a.kind == "cdn" and a.start <= position < a.end for a in hub.asked)
        return damaging if asked.kind == "cdn" and before <= 1 else None

    hub.rule = first_time
    await pull(order)
    assert whole_model(cache, hub)
    assert hub.sent_bytes == hub.total_bytes + len(hub.files[WEIGHTS])


@pytest.mark.parametrize("name", [WEIGHTS, "tokenizer.json"])
async def test_what_is_always_wrong_never_becomes_a_model(
    hub: HubServer, order: DownloadOrder, cache: Path, name: str
) -> None:
    hub.rule = always(Fault(flip=1000), "cdn" if name == WEIGHTS else "resolve", name)
    with pytest.raises(DamagedDownloadError, match=name):
        await pull(order)
    assert no_model(cache)
    assert not (RepoFolder(cache, REPO).blobs / hub.digest(name)).exists()


async def test_connections_that_break_off_cost_nothing(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    hub.rule = lambda asked: Fault(stop_after=300_000) if asked.kind == "cdn" else None
    await pull(order)
    assert whole_model(cache, hub)
    assert hub.sent_bytes == hub.total_bytes


async def test_a_connection_that_brings_nothing_gives_up_in_the_end(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    hub.rule = lambda asked: Fault(stop_after=0) if asked.kind == "cdn" else None
    with pytest.raises(UnreachableHubError, match="broke off") as caught:
        await pull(order)
    assert "kept" in caught.value.hint
    assert no_model(cache)


async def test_a_connection_that_stalls_is_made_anew(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    hub.rule = times(4, Fault(hang_after=400_000))
    await pull(impatient(order, 0.5))
    assert whole_model(cache, hub)
    assert hub.sent_bytes == hub.total_bytes


async def test_a_slow_link_is_waited_for(hub: HubServer, order: DownloadOrder, cache: Path) -> None:
    hub.bytes_per_second = 2.5e6
    events = await pull(impatient(replace(order, connections=1), 0.5))
    assert whole_model(cache, hub)
    assert hub.sent_bytes == hub.total_bytes
    progress = [event for event in events if isinstance(event, DownloadProgress)]
    done = [event.done_bytes for event in progress if event.phase == "downloading"]
    assert done == sorted(done)
    assert len(set(done)) > 3
    assert any(0 < event.bytes_per_second < 5e6 and event.seconds_left for event in progress)


@pytest.mark.parametrize("kind", ["listing", "resolve", "cdn"])
async def test_a_login_page_is_no_file(
    hub: HubServer, order: DownloadOrder, cache: Path, kind: str
) -> None:
    page = Fault(200, {"Content-Type": "text/html"}, LOGIN_PAGE)
    hub.rule = lambda asked: page if asked.kind == kind else None
    with pytest.raises(UnreachableHubError, match="web page") as caught:
        await pull(order)
    assert "login" in caught.value.hint
    assert no_model(cache)
    hub.rule = lambda _: None
    await pull(order)
    assert whole_model(cache, hub)


@pytest.mark.parametrize(
    "location",
    [
        "http://login.hotel.example/",
        "http://127.0.0.2:1/cdn/model.safetensors",
        "https://cdn.example.com/model.safetensors",
        "https://huggingface.co.example.com/x",
        "https://user:secret@huggingface.co/x",
        "https://evilhf.co/x",
        "file:///etc/passwd",
        "ftp://huggingface.co/x",
        "//10.0.0.1/x",
    ],
)
@pytest.mark.parametrize("kind", ["listing", "resolve"])
async def test_nobody_is_led_to_another_host(
    hub: HubServer, order: DownloadOrder, cache: Path, location: str, kind: str
) -> None:
    hub.rule = lambda asked: Fault(302, {"Location": location}) if asked.kind == kind else None
    with pytest.raises(UnreachableHubError, match="Instead of"):
        await pull(order)
    assert no_model(cache)


async def test_a_circle_ends(hub: HubServer, order: DownloadOrder) -> None:
    hub.rule = always(Fault(302, {"Location": "/cdn/model.safetensors"}))
    with pytest.raises(DownloadError, match="circle"):
        await pull(order)


@pytest.mark.parametrize(
    ("there", "is_right"),
    [
        ("https://hub.example/other", True),
        ("https://cas-bridge.xethub.hf.co/x?X-Amz-Signature=1", True),
        ("https://cdn-lfs.huggingface.co/x", True),
        ("https://hf-hub-lfs-us-east-1.s3-accelerate.amazonaws.com/x", True),
        ("https://cdn.hub.example/x", True),
        ("http://hub.example/x", False),
        ("https://hub.example.evil/x", False),
        ("https://s3.amazonaws.com/x", False),
        ("https://a@cdn.hub.example/x", False),
    ],
)
async def test_where_a_hub_may_lead(there: str, is_right: bool) -> None:
    async with HubClient("https://hub.example", "secret", PATIENCE) as client:
        here = httpx2.URL("https://hub.example/a")
        assert client.may_follow(here, httpx2.URL(there)) is is_right


def test_whom_a_proxy_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    url = httpx2.URL("https://hub.example/x")
    assert connected_host(url) == "hub.example"
    monkeypatch.setenv("HTTPS_PROXY", "http://user:word@proxy.example:3128")
    assert connected_host(url) == "proxy.example"
    monkeypatch.setenv("NO_PROXY", "hub.example")
    assert connected_host(url) == "hub.example"


async def test_a_proxy_is_asked(
    hub: HubServer, order: DownloadOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", hub.endpoint)
    monkeypatch.setenv("http_proxy", hub.endpoint)
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(RefusedDownloadError):  # the test's hub knows no whole addresses
        await pull(replace(order, endpoint="http://hub.invalid"))
    monkeypatch.setenv("http_proxy", "nonsense://x")
    monkeypatch.setenv("HTTP_PROXY", "nonsense://x")
    with pytest.raises(UsageError, match="proxy"):
        await pull(order)


@pytest.mark.parametrize("endpoint", ["", "hub", "ftp://hub", "http://", "http://[::1"])
async def test_an_address_that_is_none_is_refused(order: DownloadOrder, endpoint: str) -> None:
    with pytest.raises(UsageError, match="address"):
        await pull(replace(order, endpoint=endpoint))


async def test_no_hub_at_all(hub: HubServer, order: DownloadOrder, cache: Path) -> None:
    hub.close()
    with pytest.raises(UnreachableHubError, match=r"no connection to 127\.0\.0\.1"):
        await pull(order)
    assert no_folder(cache)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "a/../../evil.json",
        "/etc/evil.json",
        "..",
        "a//b.json",
        "evil\\..\\x.json",
        "evil\0.json",
        "evil\n.json",
        "C:evil.json",
        "con.json",
        "COM1",
        "evil.json ",
        "evil.json.",
        "x" * 300,
        "",
        7,
        None,
    ],
)
async def test_a_name_that_leads_away_is_refused(
    hub: HubServer, order: DownloadOrder, cache: Path, name: object
) -> None:
    def rename(answer: dict[str, Any]) -> None:
        answer["siblings"].append({"rfilename": name, "size": 4, "blobId": "a" * 40})

    hub.listing_changes = rename
    with pytest.raises(DownloadError, match="lead out of its folder"):
        await pull(order)
    assert no_folder(cache)
    assert {asked.kind for asked in hub.asked} == {"listing"}


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no model": lambda a: a["siblings"].clear(),
    "is not in its format": lambda a: a.update(sha="../../x"),
    "not in its format": lambda a: a.update(siblings="x"),
    "no size or checksum": lambda a: a["siblings"][0].update(size=-1),
    "gives no size or checksum": lambda a: a["siblings"][0].update(blobId="../../../etc/passwd"),
    "so it cannot be verified": lambda a: [
        s.get("lfs", {}).update(sha256="..") for s in a["siblings"]
    ],
    "far larger": lambda a: [s.get("lfs", {}).update(size=10**15) for s in a["siblings"]],
    "larger than any": lambda a: [
        s.update(size=10**9) for s in a["siblings"] if s["rfilename"] == "config.json"
    ],
    "differ by case": lambda a: a["siblings"].append(
        {"rfilename": "Config.json", "size": 4, "blobId": "a" * 40}
    ),
    "that is no model": lambda a: a["siblings"].extend(a["siblings"][:1] * 10_001),
}


@pytest.mark.parametrize("sentence", CHANGES)
async def test_a_listing_that_cannot_be_is_refused(
    hub: HubServer, order: DownloadOrder, cache: Path, sentence: str
) -> None:
    def change(answer: dict[str, Any]) -> None:
        CHANGES[sentence](answer)

    hub.listing_changes = change
    with pytest.raises(DownloadError, match=sentence):
        await pull(order)
    assert no_folder(cache)


async def test_a_file_of_another_size_is_refused(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    listing = hub.listing()
    hub.files[WEIGHTS] += b"more"
    hub.listing_changes = lambda answer: answer.update(listing)
    with pytest.raises(UnreachableHubError, match="another file"):
        await pull(order)
    assert no_model(cache)


async def test_another_model_costs_its_small_files_only(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    hub.files["config.json"] = b'{"model_type": "llama"}'
    with pytest.raises(DownloadError, match="is not a Gemma 4"):
        await pull(order)
    assert not hub.sent[WEIGHTS]
    assert no_model(cache)


async def test_shards_that_are_missing_are_told_before_the_others_come(
    hub: HubServer, order: DownloadOrder
) -> None:
    hub.files["model.safetensors.index.json"] = b'{"weight_map": {"a": "model-2.safetensors"}}'
    with pytest.raises(DownloadError, match=r"lacks the weights 'model-2\.safetensors'"):
        await pull(order)
    assert not hub.sent[WEIGHTS]


async def test_a_server_without_ranges_is_told(
    hub: HubServer, order: DownloadOrder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.rule = lambda asked: Fault(whole=True) if asked.kind == "cdn" else None
    await pull(replace(order, stretch_bytes=64 * 1024 * 1024))
    assert whole_model(cache, hub)
    shutil.rmtree(cache)
    monkeypatch.setattr("gemma_tui.hub.hub_client._MAX_WHOLE_BYTES", 1_000_000)
    with pytest.raises(DownloadError, match="whole files only"):
        await pull(order)


async def test_a_small_file_may_come_packed(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    packed = gzip.compress(hub.files["tokenizer.json"])
    headers = {"Content-Encoding": "gzip"}
    hub.rule = always(Fault(200, headers, packed), "resolve", "tokenizer.json")
    await pull(order)
    assert whole_model(cache, hub)
    shutil.rmtree(cache)
    hub.rule = always(Fault(200, headers, b"not packed at all"), "resolve", "tokenizer.json")
    with pytest.raises(UnreachableHubError):
        await pull(order)
    assert no_model(cache)


async def test_a_full_disk_is_known_before(
    hub: HubServer, order: DownloadOrder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(cache.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5_000_000))
    with pytest.raises(DiskFullError, match=r"needs 7\.1 MB more, and the disk of .* has 5\.0 MB"):
        await pull(order)
    assert not hub.sent_bytes


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """No file of this process may grow beyond 3 MB: what a full disk is to a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


async def test_a_disk_that_fills_up_loses_nothing(
    hub: HubServer, order: DownloadOrder, cache: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("small_files_only")
    one = replace(order, connections=1)
    with pytest.raises(DiskFullError, match="no space left"):
        await pull(one)
    assert no_model(cache)
    [model] = downloaded_models(cache)
    assert 2_000_000 < model.done_bytes <= 3_000_000 + 40_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await pull(one)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert whole_model(cache, hub)
    assert hub.sent_bytes <= hub.total_bytes + 1024 * 1024


async def test_given_up_at_99_per_cent(hub: HubServer, order: DownloadOrder, cache: Path) -> None:
    size = len(hub.files[WEIGHTS])
    hub.rule = lambda asked: (
        Fault(hang_after=max(0, size - 40_000 - asked.start))
        if asked.kind == "cdn" and asked.end == size
        else None
    )
    async with aclosing(download(replace(order, connections=1))) as events:
        async for event in events:
            if (
                isinstance(event, DownloadProgress)
                and event.done_bytes * 100 >= 99 * hub.total_bytes
            ):
                break
    assert no_model(cache)
    [model] = downloaded_models(cache)
    assert model.done_bytes * 100 >= 99 * model.size_bytes
    hub.rule = lambda _: None
    last = (await pull(order))[-1]
    assert isinstance(last, Downloaded)
    assert last.fetched_bytes <= hub.total_bytes // 100
    assert whole_model(cache, hub)
    assert hub.sent_bytes == hub.total_bytes


async def test_a_signed_address_that_has_run_out_is_asked_for_again(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    count = defaultdict[str, int](int)

    def expire(asked: Asked) -> Fault | None:
        count[asked.kind] += 1
        return Fault(403) if asked.kind == "cdn" and count["cdn"] == 3 else None

    hub.rule = expire
    await pull(replace(order, connections=1))
    assert whole_model(cache, hub)
    assert hub.count("resolve", WEIGHTS) == 2


async def test_a_link_in_the_place_of_a_partial_file_is_not_followed(
    hub: HubServer, order: DownloadOrder, cache: Path, tmp_path: Path
) -> None:
    folder = RepoFolder(cache, REPO)
    folder.own.mkdir(parents=True)
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    folder.partial(hub.digest(WEIGHTS)).symlink_to(precious)
    with pytest.raises(GemmaError, match="cannot be written"):
        await pull(order)
    assert precious.read_bytes() == b"mine"


async def test_a_journal_that_lies_costs_a_second_download(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    """As after a power failure: the journal is on the disk, and what it speaks of is not."""
    hub.bytes_per_second = 4e6
    async with aclosing(download(order)) as events:
        async for event in events:
            if isinstance(event, DownloadProgress) and event.done_bytes > 4_000_000:
                break
    hub.bytes_per_second = None
    partial = RepoFolder(cache, REPO).partial(hub.digest(WEIGHTS))
    with partial.open("r+b") as file:
        file.write(bytes(100_000))
    await pull(order)
    assert whole_model(cache, hub)
    assert hub.sent_bytes <= hub.total_bytes + 2 * order.stretch_bytes


async def test_two_processes_of_which_one_is_late(
    hub: HubServer, order: DownloadOrder, cache: Path
) -> None:
    results = await asyncio.gather(*(pull(order) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(result, list) for result in results) >= 1
    assert all(isinstance(result, list | DownloadError) for result in results)
    assert whole_model(cache, hub)
    assert os.listdir(cache) == ["models--tests--tiny-gemma"]  # noqa: PTH208  # no path is needed
    assert COMMIT in {path.name for path in RepoFolder(cache, REPO).snapshots.iterdir()}
