"""A clip of a long sound, as it is found. A pure value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SoundClip:
    """The next clip of a sound that is longer than a clip may be."""

    start: int
    """Sample at 16 kHz, like the others."""
    length: int
    next_start: int = 0
    """Where the clip behind it begins; 0: this is the last. Before the end of this one where there
    was no pause to cut at."""
    heard_start: int = 0
    """Where something is heard for the first time in it, and a little before that."""
    heard_stop: int = 0
    """Where something is heard for the last time, and a little after that; 0: nothing is."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing can be heard in it."""
        return self.heard_stop == 0

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self.start + self.length

    @property
    def is_last(self) -> bool:
        """Whether the sound, or the range of it that was asked for, ends with this clip."""
        return self.next_start == 0
