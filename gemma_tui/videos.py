"""Videos as attachments: which frames are sent, whether their sound is, and how they are described.

Pure values. How a frame is decoded is the business of the engine; one is a picture of the prompt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import UsageError
from gemma_tui.generation import Media
from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.preprocessing.frame_times import (
    MAX_FRAMES,
    MAX_SOUND_SECONDS,
    frame_count,
    frame_segments,
    is_video,
    time_stamp,
)
from gemma_tui.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gemma_tui.conversation import Attachment, Segment
    from gemma_tui.generation import ModelInfo, PromptPart


EXAMPLE: Final = "2, 0.5 or 1/5 frames a second; silent or sound"
"""What can be chosen of a video."""


def frames_of(video: Attachment) -> tuple[Segment, ...]:
    """The frames that are sent of a video."""
    return tuple(part for part in video.segments if part.kind == "image")


def clips_of(video: Attachment) -> tuple[Segment, ...]:
    """The clips of its sound that are sent."""
    return tuple(part for part in video.segments if part.kind == "audio")


def with_frames(video: Attachment, per_second: float, most: int = MAX_FRAMES) -> Attachment:
    """A video with so many frames a second, at most `most`; anything else stays as it is."""
    if not is_video(video):
        return video
    frames = frame_segments(_milliseconds(video), per_second, most)
    return replace(video, segments=(*frames, *clips_of(video)))


def without_sound(video: Attachment) -> Attachment:
    """A video without its sound."""
    return replace(video, segments=frames_of(video))


def parse_rate(text: str) -> float:
    """Frames a second that a user wrote, such as `2`, `0.5` or `1/5`.

    Raises:
        UsageError: It is no number between one frame in a hundred seconds and ten in one.
    """
    over, _, under = text.replace(",", ".").partition("/")
    try:
        rate = float(over) / float(under or 1)
    except (ValueError, ZeroDivisionError):
        rate = 0.0
    if not 0.01 <= rate <= 10:
        raise UsageError(
            f"“{sanitize_line(text)}” is no number of frames a second.",
            f"Write {EXAMPLE}.",
        )
    return rate


def video_in_words(video: Attachment) -> str:
    """What is sent of a video: `12 frames + 1 clip of 0:12`, `60 frames of 10:00:00`."""
    frames, clips = len(frames_of(video)), len(clips_of(video))
    sound = f" + {clips} clip{'' if clips == 1 else 's'}" if clips else ""
    return f"{frames} frame{'' if frames == 1 else 's'}{sound} of {_length(video)}"


def notes_on(video: Attachment, model: ModelInfo | None, per_second: float = 1.0) -> str:
    """What the user must know of a video that was attached; empty if there is nothing to say.

    Args:
        video: A video.
        model: The loaded model, if one is.
        per_second: How many frames a second were wanted.
    """
    name, notes = f"“{sanitize_line(video.name)}”", []
    seconds = _milliseconds(video) / 1000
    frames, clips = frames_of(video), clips_of(video)
    if frame_count(_milliseconds(video), per_second) > len(frames):
        apart = f"{seconds / len(frames):.3g}"
        count = f"{len(frames)} frame{'' if len(frames) == 1 else 's'}"
        notes.append(f"{name} is {_length(video)} long: {count}, {apart} s apart.")
    if not clips and seconds > MAX_SOUND_SECONDS:
        minutes = MAX_SOUND_SECONDS // 60
        notes.append(
            f"Its sound is left out, as of every video of more than {minutes} minutes;"
            " it can be transcribed."
        )
    if clips and model is not None and not model.can_hear:
        notes.append(f"{model.name} cannot hear: the sound of {name} is not sent.")
    return " ".join(notes)


def to_frames(media: Iterable[PromptPart]) -> tuple[tuple[Media, ...], tuple[Media, ...]]:
    """The media of a video: its frames behind their time stamps, and the clips of its sound.

    With the blanks around the stamps they are what `Gemma4Processor.replace_video_token` writes.
    """
    all_of_it = [part for part in media if isinstance(part, Media)]
    pictures = [part for part in all_of_it if part.kind == "image"]
    frames = (
        replace(part, stamp=f"{' ' if place else ''}{time_stamp(part.start)} ")
        for place, part in enumerate(pictures)
    )
    # Whether the model hears may be known only when it is loaded.
    clips = (replace(part, is_optional=True) for part in all_of_it if part.kind == "audio")
    return tuple(frames), tuple(clips)


def _milliseconds(video: Attachment) -> int:
    return max(1, 1000 * video.sample_count // SAMPLE_RATE)


def _length(video: Attachment) -> str:
    minutes, seconds = divmod(round(_milliseconds(video) / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
