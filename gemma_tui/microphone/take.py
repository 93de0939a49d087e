"""One recording as it is shown while it grows: levels, clips, and what is wrong with the sound.

A pure value: fed with every `Level`, it says what the meter shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from gemma_tui.microphone.level import SILENCE_DB, decibels

if TYPE_CHECKING:
    from gemma_tui.microphone.interface import Level

CLIP_SECONDS: Final = 29.0
"""The longest clip; the model hears at most 30 s at once."""

PAUSE_SECONDS: Final = 8.0
"""How far before the end of a clip the quietest moment is looked for, to cut it there."""

FALL_DB: Final = 20 / 1.7
"""By how much a meter falls in a second (IEC 60268-10, type I: 20 dB in 1.7 s)."""

SILENT_SECONDS: Final = 0.5
"""Exact zeros for so long at the start: no permission, or muted. A room is never that quiet."""

SILENT_LATER_SECONDS: Final = 2.0
"""The same later on: noise suppression may well fill short pauses with zeros."""

FAINT_DB: Final = -36.0
"""A voice whose peaks stay below this is too faint to be understood well."""

FAINT_SECONDS: Final = 3.0
"""How long one may keep quiet before that is said."""

CLIPPING: Final = 0.999
CLIPPING_SECONDS: Final = 2.0
"""How long it is said that the sound was too loud."""

Fault: TypeAlias = Literal["", "silent", "clipping", "faint"]
"""What is wrong with the sound."""


@dataclass(frozen=True, slots=True)
class Take:
    """What is known of a recording."""

    seconds: float = 0.0
    peak: float = SILENCE_DB
    """In dBFS; rises at once and falls slowly."""
    loudness: float = SILENCE_DB
    """The same of the root mean square."""
    highest: float = SILENCE_DB
    """The highest peak so far."""
    heard_until: float = 0.0
    """Where the last sample that is not exactly zero may be, in seconds."""
    clipped_at: float | None = None
    """Where a sample last reached full scale."""
    clip_starts: tuple[float, ...] = (0.0,)
    recent: tuple[tuple[float, float], ...] = ()
    """End and loudness of the pieces among which the clip may be cut."""

    @property
    def clip(self) -> int:
        """Number of the clip that is recorded, from 1."""
        return len(self.clip_starts)

    @property
    def clip_left(self) -> float:
        """Seconds until the next clip begins at the latest."""
        return max(CLIP_SECONDS - (self.seconds - self.clip_starts[-1]), 0.0)

    @property
    def is_silent(self) -> bool:
        """Whether there was nothing but exact zeros."""
        return not self.heard_until

    @property
    def fault(self) -> Fault:
        """What is wrong now, the worst first."""
        silence = self.seconds - self.heard_until
        if silence >= (SILENT_SECONDS if self.is_silent else SILENT_LATER_SECONDS):
            return "silent"
        if self.clipped_at is not None and self.seconds - self.clipped_at < CLIPPING_SECONDS:
            return "clipping"
        return "faint" if self.seconds >= FAINT_SECONDS and self.highest < FAINT_DB else ""

    def after(self, level: Level) -> Take:
        """The recording with one more piece of sound."""
        passed = max(level.seconds - self.seconds, 0.0)
        peak, loudness = decibels(level.peak), decibels(level.loudness)
        grown = replace(
            self,
            seconds=level.seconds,
            peak=max(peak, self.peak - FALL_DB * passed, SILENCE_DB),
            loudness=max(loudness, self.loudness - FALL_DB * passed, SILENCE_DB),
            highest=max(self.highest, peak),
            heard_until=level.seconds if level.peak else self.heard_until,
            clipped_at=level.seconds if level.peak >= CLIPPING else self.clipped_at,
        )
        return grown._in_clips(level)

    def _in_clips(self, level: Level) -> Take:
        """Go on in the next clip if this one is full, from its quietest moment near the end."""
        start = self.clip_starts[-1]
        earliest = start + CLIP_SECONDS - PAUSE_SECONDS
        recent = self.recent
        if level.seconds > earliest:
            recent = (*recent, (level.seconds, level.loudness))
        if level.seconds - start < CLIP_SECONDS:
            return replace(self, recent=recent)
        cut = min(recent, key=lambda piece: (piece[1], -piece[0]))[0]
        # The new clip has begun already; what may be its own end is far away.
        return replace(self, clip_starts=(*self.clip_starts, cut), recent=())


def time_words(seconds: float) -> str:
    """`0:07`, `12:34`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
