"""What is written of one clip. Pure values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClipText:
    """The words of a clip, or why there are none."""

    start: int
    """Sample at 16 kHz, like `stop`."""
    stop: int
    next_start: int = 0
    """Where the next clip begins; 0: this is the last."""
    text: str = ""
    translation: str = ""
    problem: str = ""
    """What is wrong with it: a sentence; the text may lack something, or all."""

    @property
    def overlaps(self) -> bool:
        """Whether the next clip begins before this one ends."""
        return 0 < self.next_start < self.stop


@dataclass(frozen=True, slots=True)
class ClipBegun:
    """A clip is being listened to."""

    number: int
    """From 1."""
    start: int
    """Sample at 16 kHz, like `stop`."""
    stop: int
