"""What is to be downloaded, and what can be told while it comes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # dataclasses of an interface
from typing import Literal

from gemma_tui.hub.partial_file import STRETCH_BYTES

Phase = Literal["downloading", "verifying"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download puts up with a connection that brings nothing."""

    stall_seconds: float = 30.0
    """A connection that brings less than 1 KiB in so long is given up, and another one made."""
    attempts: int = 8
    """Failures in a row, without one byte between them, before the download gives up."""
    first_wait_seconds: float = 1.0
    """Before the second attempt; doubled before each later one."""
    longest_wait_seconds: float = 30.0
    """Upper bound of that; what a hub asks for may be longer."""
    longest_pause_seconds: float = 300.0
    """The longest pause that a hub may ask for (429); a longer one is told as an error."""


@dataclass(frozen=True, slots=True)
class DownloadOrder:
    """A model to download."""

    repo: str
    """`owner/name`."""
    cache: Path
    """The shared cache: `hub.cache.shared_cache()`."""
    endpoint: str
    """The hub: `hub.cache.hub_endpoint()`."""
    revision: str = "main"
    """A branch, a tag or, better, a commit."""
    connections: int = 4
    patience: Patience = Patience()
    stretch_bytes: int = STRETCH_BYTES
    """Bytes asked for at once."""


@dataclass(frozen=True, slots=True)
class DownloadPlanned:
    """The first event: what will come."""

    repo: str
    revision: str
    """The commit; the download keeps to it."""
    file_count: int
    total_bytes: int
    done_bytes: int
    """What is there already, of an earlier download or by another program."""


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far it is; about four times a second."""

    phase: Phase
    done_bytes: int
    """Of `total_bytes`: downloaded, or read again to compare the digest."""
    total_bytes: int
    bytes_per_second: float
    """Of the last seconds."""
    seconds_left: float | None
    """None while nothing comes."""
    file: str
    """One of those that are coming."""


@dataclass(frozen=True, slots=True)
class DownloadWaiting:
    """Something is in the way; it is tried again without anybody's help."""

    reason: str
    """A sentence."""
    seconds: float
    """Until the next attempt."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """The last event: the model is there, and every file of it verified."""

    repo: str
    revision: str
    folder: Path
    """A model folder."""
    total_bytes: int
    fetched_bytes: int
    """What came over the network this time."""


DownloadEvent = DownloadPlanned | DownloadProgress | DownloadWaiting | Downloaded
