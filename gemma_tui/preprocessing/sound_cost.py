"""What an attached sound costs: its clips, their length and their soft tokens.

Integers only, like `budget`, so that the screen and the prompt say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gemma_tui.preprocessing.budget import SAMPLE_RATE, audio_tokens

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment


def clip_lengths(attachment: Attachment) -> tuple[int, ...]:
    """Samples at 16 kHz of each clip that is sent of a sound."""
    if not attachment.segments:
        return (attachment.sample_count,)
    return tuple(part.length for part in attachment.segments if part.kind == "audio")


def sound_tokens(attachment: Attachment) -> int:
    """Soft tokens of all clips of a sound."""
    return sum(map(audio_tokens, clip_lengths(attachment)))


def sound_length(attachment: Attachment) -> str:
    """For example `4.2 s`, or `5:03 · 11 clips` for a sound that is split."""
    seconds = attachment.sample_count / SAMPLE_RATE
    if not attachment.segments:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    length = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    count = len(attachment.segments)
    return f"{length} · {count} clips" if count > 1 else f"{length} · 1 clip"
