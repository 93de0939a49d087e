"""How loud a long sound is from beginning to end, heard at places: to be drawn, not measured.

Up to some minutes all of it is heard; three hours would take ten seconds.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from gemma_tui.preprocessing.budget import SAMPLE_RATE
from gemma_tui.preprocessing.completeness import promised_seconds
from gemma_tui.preprocessing.sound_file import only_sound, open_container
from gemma_tui.preprocessing.sound_stream import stream_places
from gemma_tui.preprocessing.source import decoding
from gemma_tui.preprocessing.splitting import FRAME, loudness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gemma_tui.preprocessing.formats import FileFormat

WHOLE_SECONDS: Final = 600
"""The longest sound that is heard from beginning to end."""

_PIECE: Final = 25 * FRAME
"""Samples heard at a place: half a second, which holds a syllable in any speech."""


def overview(
    file: BinaryIO, file_format: FileFormat, name: str, places: int
) -> NDArray[np.float32]:
    """[levels] loudness along a sound of any length, at least one level for each place.

    Args:
        file: A sound.
        file_format: What it is.
        name: What error messages call it.
        places: In how many parts it is to be drawn.

    Raises:
        AttachmentError: It cannot be decoded.
    """
    file.seek(0)
    with decoding(name), closing(open_container(file, file_format)) as container:
        seconds, _ = promised_seconds(container, only_sound(container, name), file, file_format)
    if seconds <= WHOLE_SECONDS:
        return loudness(file, file_format, name)
    step = seconds * SAMPLE_RATE / places
    starts = [round((place + 0.5) * step) for place in range(places)]
    heard = stream_places(file, file_format, name, starts, _PIECE)
    return np.array([_level(samples) for samples in heard], np.float32)


def _level(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(samples * samples))) if samples.size else 0.0
