"""Videos: what is to be known of one, and its frames as pictures of the size that Gemma 4 sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image

from gemma_tui.conversation import Segment
from gemma_tui.errors import DamagedFileError, LimitError, LongSoundError, UnsupportedFormatError
from gemma_tui.generation import MediaInfo
from gemma_tui.preprocessing.audio import decode_clip
from gemma_tui.preprocessing.budget import SAMPLE_RATE, image_size
from gemma_tui.preprocessing.formats import VIDEO_DECODERS
from gemma_tui.preprocessing.frame_times import FRAME_BUDGET, MAX_SOUND_SECONDS, frame_segments
from gemma_tui.preprocessing.sound_file import open_container
from gemma_tui.preprocessing.source import decoding
from gemma_tui.preprocessing.splitting import find_clips
from gemma_tui.preprocessing.video_ends import missing_video_bytes
from gemma_tui.preprocessing.video_reader import VideoReader, open_video, picture_stream

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gemma_tui.preprocessing.formats import FileFormat


def is_video_file(file: BinaryIO, file_format: FileFormat, name: str) -> bool:
    """Whether a file of a format that may hold pictures does; leaves it positioned at its start.

    Raises:
        DamagedFileError: Its header cannot be read.
    """
    if file_format.decoder not in VIDEO_DECODERS:
        return False
    with decoding(name), open_container(file, file_format) as container:
        found = picture_stream(container) is not None
    file.seek(0)
    return found


def describe_video(path: Path, file: BinaryIO, file_format: FileFormat, name: str) -> MediaInfo:
    """What is to be known of a video: its frames, one a second, and its sound as clips.

    The first and the last of the frames are decoded, and all of the sound.

    Args:
        path: The file.
        file: The same, open.
        file_format: What it is.
        name: What error messages call it.

    Raises:
        DamagedFileError: It is cut off or broken, or holds no frames.
    """
    if missing_video_bytes(file, file_format):
        message = f"“{name}” is cut off: its file is shorter than it says."
        raise DamagedFileError(message, "Copy or download it again.")
    reader = VideoReader(path, name)
    length = reader.milliseconds()
    frames = frame_segments(length)
    height, width = reader.frame_at(frames[0].start).shape[:2]
    reader.frame_at(frames[-1].start)
    clips = _clips(file, file_format, name) if length <= 1000 * MAX_SOUND_SECONDS else ()
    return MediaInfo(
        kind="image",
        media_type=_media_type(file, file_format),
        width=width,
        height=height,
        sample_count=length * SAMPLE_RATE // 1000,
        suggested_budget=FRAME_BUDGET,
        suggestion="frames",
        segments=(*frames, *clips),
    )


def frame_pixels(path: Path, name: str, milliseconds: int, budget: int) -> NDArray[np.uint8]:
    """A frame as the network takes it; what `cut_patches` takes.

    Resized as a picture is. The reference does the same with tensors, whose rounding may differ.

    Args:
        path: A video.
        name: What error messages call it.
        milliseconds: When it is seen.
        budget: The most soft tokens it may cost, one of `TOKEN_BUDGETS`.

    Returns:
        [height, width, 3] red, green, blue; both sides are multiples of 48.

    Raises:
        AttachmentError: It cannot be decoded.
        BudgetError: `budget` is not one of the budgets.
    """
    picture = Image.fromarray(open_video(path, name).frame_at(milliseconds))
    size = image_size(*picture.size, budget)
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC))


def typical_frame(path: Path, name: str) -> Image.Image:
    """A frame to know a video by: the first ones are often black. Raises as `frame_pixels`."""
    reader = open_video(path, name)
    return Image.fromarray(reader.frame_at(reader.milliseconds() // 3))


def _clips(file: BinaryIO, file_format: FileFormat, name: str) -> tuple[Segment, ...]:
    """The sound, in one clip or in several; none where there is no sound that can be decoded."""
    file.seek(0)
    try:
        return (Segment("audio", 0, int(decode_clip(file, file_format, name).size)),)
    except LongSoundError:
        return find_clips(file, file_format, name)[1]
    except (UnsupportedFormatError, LimitError):
        return ()


def _media_type(file: BinaryIO, file_format: FileFormat) -> str:
    match file_format.decoder:
        case "mov":
            file.seek(4)
            kind = file.read(8)  # QuickTime files are older than `ftyp`, or say `qt` behind it
            is_mp4 = kind.startswith(b"ftyp") and kind != b"ftypqt  "
            return "video/mp4" if is_mp4 else "video/quicktime"
        case "avi":
            return "video/x-msvideo"
        case _:
            is_webm = file_format.media_type == "audio/webm"
            return "video/webm" if is_webm else "video/x-matroska"
