"""What an attached sound costs: its clips, their length and their soft tokens.

Integers only, like `budget`, so that the screen and the prompt say the same. Of a long sound whose
clips nobody has found yet, all of this is an estimate and says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Segment
from gemma_tui.preprocessing.budget import MAX_CLIP_SAMPLES, SAMPLE_RATE, audio_tokens
from gemma_tui.preprocessing.frame_times import is_sound_left_out

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment

_USUAL_CLIP: Final = 22 * SAMPLE_RATE
"""Samples of a clip of speech: in the middle of 15 to 29 s, where its longest pause is cut at."""


def clip_lengths(attachment: Attachment) -> tuple[int, ...]:
    """Samples at 16 kHz of each clip that is sent of a sound."""
    if not attachment.segments:
        return (attachment.sample_count,)
    return tuple(part.length for part in attachment.segments if part.kind == "audio")


def is_unsplit(attachment: Attachment) -> bool:
    """Whether it is a sound, or a part of one, that has to be split before it can be heard."""
    return attachment.kind == "audio" and any(
        length > MAX_CLIP_SAMPLES for length in clip_lengths(attachment)
    )


def can_be_heard(attachment: Attachment) -> bool:
    """Whether it is a sound, or a video with one, or a video so long that it may have one."""
    if is_sound_left_out(attachment.media_type, attachment.sample_count):
        return True
    return attachment.kind == "audio" or any(p.kind == "audio" for p in attachment.segments)


def sound_range(attachment: Attachment) -> tuple[int, int]:
    """Samples at 16 kHz: where what is sent of a sound begins and ends."""
    parts = [part for part in attachment.segments if part.kind == "audio"]
    if not parts:
        return 0, attachment.sample_count
    return parts[0].start, parts[-1].start + parts[-1].length


def with_range(attachment: Attachment, start: int, stop: int) -> Attachment:
    """A sound of which only a part is sent; its clips are found when they are needed.

    Args:
        attachment: A sound.
        start: Sample at 16 kHz where the part begins.
        stop: Where it ends. From 0 to the end of the sound is all of it.
    """
    is_whole = start <= 0 and stop >= attachment.sample_count
    part = Segment("audio", start, min(stop, attachment.sample_count) - start)
    return replace(attachment, segments=() if is_whole else (part,))


def likely_clips(attachment: Attachment) -> Attachment:
    """A sound that is not split yet, cut into clips of the usual length; anything else as it is."""
    if not is_unsplit(attachment):
        return attachment
    begin, end = sound_range(attachment)
    starts = range(begin, end, _USUAL_CLIP)
    clips = (Segment("audio", start, min(_USUAL_CLIP, end - start)) for start in starts)
    return replace(attachment, segments=tuple(clips))


def sound_tokens(attachment: Attachment) -> int:
    """Soft tokens of all clips of a sound."""
    return sum(map(audio_tokens, clip_lengths(likely_clips(attachment))))


def sound_tokens_words(attachment: Attachment) -> str:
    """For example `105 tokens`, or `~270,000 tokens` where that depends on where it is split."""
    tokens = sound_tokens(attachment)
    if not is_unsplit(attachment):
        return f"{tokens:,} tokens"
    rounding = 10 ** max(0, len(str(tokens)) - 3)
    return f"~{round(tokens / rounding) * rounding:,} tokens"


def sound_length(attachment: Attachment) -> str:
    """For example `4.2 s`, `5:03 · 11 clips`, or `10:00–12:30 of 3:00:00 · ~7 clips`."""
    start, stop = sound_range(attachment)
    total = attachment.sample_count
    is_whole = start == 0 and abs(total - stop) < SAMPLE_RATE
    if is_whole and not attachment.segments and not is_unsplit(attachment):
        return f"{total / SAMPLE_RATE:.1f} s"
    length = clock(total)
    if not is_whole:
        length = f"{clock(start)}–{clock(stop)} of {length}"
    if is_unsplit(attachment):
        return f"{length} · ~{estimated_clips(stop - start)} clips"
    count = len(clip_lengths(attachment))
    return f"{length} · {count} clips" if count > 1 else f"{length} · 1 clip"


def estimated_clips(samples: int) -> int:
    """How many clips so much sound is likely to be split into."""
    return -(-samples // _USUAL_CLIP)


def clock(samples: int) -> str:
    """A time as `0:07`, `5:03` or `3:00:00`."""
    minutes, rest = divmod(round(samples / SAMPLE_RATE), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
