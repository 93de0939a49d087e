"""Which frames of a video are looked at, and what stands in front of each in the prompt.

Integers only, like `budget`, so that the screen may use it as well as the engine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gemma_tui.conversation import Segment
from gemma_tui.preprocessing.budget import SAMPLE_RATE

if TYPE_CHECKING:
    from gemma_tui.conversation import Attachment

FRAME_BUDGET: Final = 70
"""Soft tokens of a frame unless the user says otherwise (`max_soft_tokens` of Gemma 4's video
processor)."""

MAX_FRAMES: Final = 60
"""Gemma 4 was made for a minute at a frame a second; of a longer video they lie further apart."""

MAX_SOUND_SECONDS: Final = 600
"""The sound of a longer video is left out: it would fill a context by itself."""


def is_sound_left_out(media_type: str, sample_count: int) -> bool:
    """Whether a video is so long that its sound is not sent; if it has any, nobody has looked.

    Args:
        media_type: Of any file.
        sample_count: Its length, as of `MediaInfo.sample_count`.
    """
    longest = MAX_SOUND_SECONDS * SAMPLE_RATE
    return media_type.startswith("video/") and sample_count > longest


def frame_count(milliseconds: int, per_second: float) -> int:
    """How many frames so many a second are, however many that is."""
    return max(1, math.ceil(milliseconds * per_second / 1000))


def frame_segments(
    milliseconds: int, per_second: float = 1.0, most: int = MAX_FRAMES
) -> tuple[Segment, ...]:
    """The frames of a video, from its beginning on.

    Where that would be more than `most`, as many are spread evenly over all of it, as the
    reference does with its number of frames.

    Args:
        milliseconds: Length of the video, at least 1.
        per_second: How many frames of a second.
        most: At least 1, and not more than `MAX_FRAMES`.
    """
    count = frame_count(milliseconds, per_second)
    step = 1000 / per_second
    if count > most:
        count, step = most, milliseconds / most
    times = (int(place * step) for place in range(count))
    return tuple(Segment("image", time, label=time_stamp(time)) for time in times)


def time_stamp(milliseconds: int) -> str:
    """`mm:ss` as `Gemma4Processor.replace_video_token` writes it: minutes have no upper end."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes:02d}:{seconds:02d}"


def is_video(attachment: Attachment) -> bool:
    """Whether its pictures are frames."""
    return attachment.kind == "image" and attachment.media_type.startswith("video/")
