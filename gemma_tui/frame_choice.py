"""Which frames of an attached video are sent, and whether its sound is, as a user says it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gemma_tui.errors import UsageError
from gemma_tui.sanitize import sanitize_line
from gemma_tui.videos import clips_of, frames_of, parse_rate, with_frames, without_sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gemma_tui.conversation import Attachment
    from gemma_tui.engine.interface import Engine


async def choose_frames(
    video: Attachment, wanted: str, engine: Engine, path_of: Callable[[str], Path]
) -> Attachment:
    """A video as `2`, `1/5 silent` or `sound` says.

    Args:
        video: A video.
        wanted: Frames a second, `silent`, `sound`, or several of these.
        engine: Finds its sound again.
        path_of: Where the bytes of a sha256 are.

    Raises:
        UsageError: It says something else, or there is no sound that can be sent.
        AttachmentError: The video cannot be read any more.
        EngineError: Nobody could look into it.
    """
    words = wanted.split()
    if not words:
        parse_rate("")
    for word in words:
        match word.casefold():
            case "silent":
                video = without_sound(video)
            case "sound":
                video = await _with_sound(video, engine, path_of)
            case rate:
                video = with_frames(video, parse_rate(rate))
    return video


async def _with_sound(
    video: Attachment, engine: Engine, path_of: Callable[[str], Path]
) -> Attachment:
    info = await engine.probe(path_of(video.sha256), video.name)
    whole = replace(video, segments=info.segments)
    if not clips_of(whole):
        name = sanitize_line(video.name)
        raise UsageError(f"“{name}” has no sound that can be sent.", "Choose its frames only.")
    return replace(video, segments=(*frames_of(video), *clips_of(whole)))
