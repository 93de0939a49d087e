"""What the engine is asked about files; it answers while it generates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gemma_tui.generation import Media


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
    is_large: bool = False
    """For a terminal that shows pixels, not characters."""


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


@dataclass(frozen=True, slots=True)
class Encode:
    """Write a medium of a prompt to a new PNG, JPEG or WAV. Answer: its `MediaInfo` or `Failed`."""

    media: Media
    target: str

    @property
    def path(self) -> str:
        """Of the file it is in."""
        return self.media.path

    @property
    def name(self) -> str:
        """What error messages call that."""
        return self.media.name
