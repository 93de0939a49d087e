"""Cutting a recording into clips at the places where the recorder went on to the next one."""

from __future__ import annotations

import wave
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LEAST_SECONDS: Final = 0.1
"""A shorter rest stays in the clip before it, which holds a second less than a model takes."""


def cut(path: Path, starts: Sequence[float], folder: Path) -> tuple[Path, ...]:
    """Write every clip of a WAV as a file of its own; not a sample is lost or doubled.

    Args:
        path: The recording.
        starts: Where clips begin, in seconds, from 0 on.
        folder: Where the clips go.

    Raises:
        OSError: The system refuses.
    """
    written = []
    with wave.open(str(path), "rb") as source:
        rate = source.getframerate()
        end_of_last = source.getnframes() - round(_LEAST_SECONDS * rate)
        begins = [round(start * rate) for start in starts]
        kept = [begin for begin in begins if begin < end_of_last or not begin]
        borders = [*kept, source.getnframes()]
        for number, (begin, end) in enumerate(pairwise(borders), 1):
            clip = folder / f"{path.stem}, clip {number}.wav"
            with wave.open(str(clip), "wb") as target:
                target.setparams(source.getparams())
                target.writeframes(source.readframes(end - begin))
            written.append(clip)
    return tuple(written)
