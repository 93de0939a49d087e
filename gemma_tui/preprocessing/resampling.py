"""Mono samples of whatever rate a recording has, as 16 kHz, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np

from gemma_tui.errors import DamagedFileError
from gemma_tui.preprocessing.budget import SAMPLE_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RATES = range(1_000, 768_001)
"""Samples a second of any recording."""

_EXPORT_ANEW = "Export it anew from the program that made it."


def is_rate(rate: int) -> bool:
    """Whether a recording can have so many samples a second."""
    return rate in _RATES


class Resampling:
    """FFmpeg's resampler for one recording, if it needs one, and what its samples must be.

    Args:
        name: What error messages call the file.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._resampler: av.AudioResampler | None = None
        self.rate = 0
        """Samples a second of what is added; 0 until then."""

    def add(self, rate: int, samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Take the next samples, and hand on those that are ready.

        Args:
            rate: Samples a second; it must not change.
            samples: [samples] mono.

        Returns:
            Blocks of [samples] float32 at 16 kHz.

        Raises:
            DamagedFileError: No recording has that rate, it changes, or a sample is no number.
        """
        if self.rate == 0:
            self._begin(rate)
        if rate != self.rate:
            message = f"“{self._name}” changes its sample rate in the middle."
            raise DamagedFileError(message, "Export it anew, as one recording.")
        if self._resampler is None:
            return self._finite([samples])
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        return self._finite([out.to_ndarray()[0] for out in self._resampler.resample(frame)])

    def finish(self) -> list[NDArray[np.float32]]:
        """The last blocks; raises as `add`."""
        if self._resampler is None:
            return []
        return self._finite([out.to_ndarray()[0] for out in self._resampler.resample(None)])

    def _begin(self, rate: int) -> None:
        if not is_rate(rate):
            message = f"“{self._name}” claims {rate} samples a second, which no recording has."
            raise DamagedFileError(message, _EXPORT_ANEW)
        self.rate = rate
        if rate != SAMPLE_RATE:
            self._resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)

    def _finite(self, blocks: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        if not all(np.isfinite(block).all() for block in blocks):
            message = f"“{self._name}” holds samples that are not finite numbers."
            raise DamagedFileError(message, _EXPORT_ANEW)
        return blocks
