"""Recordings of spoken digit groups, made by espeak-ng in voices the built-in model knows."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Final

import av
import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng, which speaks, is not installed"
)

GROUPS: Final = (
    ("en-gb+f3", 145, "4 7 2 9"),
    ("en-us", 140, "1 5 0 3 8"),
    ("en-us+m3", 150, "6 6 2"),
    ("en-gb", 140, "9 0 5 1"),
)
"""Voice, words a minute, digits: few, so that they are soon rendered; one says a digit twice."""

PAUSE: Final = 15.0
"""Seconds between two groups: then a clip has one, which is what the built-in model can take."""

_NAMES: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@cache
def _spoken(group: int) -> NDArray[np.float32]:
    """[samples] float32 at 16 kHz of a group, without silence around it."""
    voice, speed, digits = GROUPS[group]
    text = " ".join(_NAMES[int(digit)] for digit in digits.split())
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text]
    raw = subprocess.run(command, capture_output=True, check=True).stdout[44:]
    frame = av.AudioFrame.from_ndarray(np.frombuffer(raw, "<i2")[None], "s16", "mono")
    frame.sample_rate = 22_050
    resampler = av.AudioResampler("flt", "mono", 16_000)
    pieces = [
        out.to_ndarray()[0] for out in (*resampler.resample(frame), *resampler.resample(None))
    ]
    samples: NDArray[np.float32] = np.concatenate(pieces)
    loud = np.flatnonzero(np.abs(samples) > 0.004)
    return samples[loud[0] : loud[-1] + 1]


def recording(seconds: float) -> tuple[NDArray[np.float32], list[str]]:
    """So many seconds of groups with pauses between them, and what each group says."""
    pause = np.zeros(round(PAUSE * 16_000), np.float32)
    said: list[str] = []
    pieces = [pause]
    while sum(piece.size for piece in pieces) < seconds * 16_000:
        group = len(said) % len(GROUPS)
        pieces += [_spoken(group), pause]
        said.append(GROUPS[group][2])
    return np.concatenate(pieces), said


def word_accuracy(said: list[str], heard: list[str]) -> float:
    """One minus the word error rate: least insertions, deletions, substitutions per word said."""
    costs = list(range(len(heard) + 1))
    for row, word in enumerate(said, 1):
        before, costs[0] = costs[0], row
        for column, other in enumerate(heard, 1):
            changed = before + (word != other)
            before = costs[column]
            costs[column] = min(changed, costs[column] + 1, costs[column - 1] + 1)
    return 1 - costs[-1] / max(1, len(said))
