"""What the engine is asked about files; it answers while it generates."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Probe:
    """Look into a file. Answer: `MediaInfo` or `Failed`."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Show a file in small. Answer: `MediaPreview` or `Failed`."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class FindClip:
    """Find where the next clip of a long sound ends. Answer: `SoundClip` or `Failed`."""

    path: str
    name: str
    start: int = 0
    """Sample at 16 kHz where it begins."""
    stop: int = 0
    """Where what is asked for ends; 0: at the end of the file."""


@dataclass(frozen=True, slots=True)
class Crop:
    """Write a part of a picture to a new file. Answer: its `MediaInfo` or `Failed`."""

    path: str
    name: str
    region: tuple[float, float, float, float]
    """Left, top, width and height, in parts of the whole."""
    target: str


@dataclass(frozen=True, slots=True)
class Unlock:
    """Write a copy of a PDF without its password. Answer: its `MediaInfo` or `Failed`."""

    path: str
    name: str
    password: str = field(repr=False)
    """Kept nowhere, and in no log."""
    target: str
