"""A hub that obeys, a cache of its own, and nothing of this machine's settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.hub.download import download
from gemma_tui.hub.download_events import DownloadOrder, Patience
from tests.hub_server import REPO, HubServer, files_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gemma_tui.hub.download_events import DownloadEvent

PATIENCE = Patience(
    stall_seconds=30, attempts=3, first_wait_seconds=0.01, longest_wait_seconds=0.02
)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No token, no proxy, no offline mode of whoever runs the tests."""
    from huggingface_hub import constants

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def hub(tiny_model: Path) -> Iterator[HubServer]:
    """Serves the built-in model."""
    server = HubServer(files_of(tiny_model))
    yield server
    server.close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def order(hub: HubServer, cache: Path) -> DownloadOrder:
    """Small stretches, so that every connection has some, and little patience."""
    return DownloadOrder(REPO, cache, hub.endpoint, patience=PATIENCE, stretch_bytes=1024 * 1024)


def impatient(order: DownloadOrder, stall_seconds: float) -> DownloadOrder:
    return replace(order, patience=replace(order.patience, stall_seconds=stall_seconds))


async def pull(order: DownloadOrder) -> list[DownloadEvent]:
    """Every event of a download."""
    return [event async for event in download(order)]
