"""What is asked about the machine that models are computed on; see `protocol` for the frames."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeasureBandwidth:
    """Measure the memory of what models are computed on. Answer: `Bandwidth` or `Failed`."""


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """How fast weights can be read, and how many must be."""

    bytes_per_second: float
    """Read and written together, while a large array is copied."""
    step_bytes: int
    """Of the loaded model's weights that writing one token reads; 0: no model is loaded."""
