"""How fast a variant will write: from measured runs on this machine, else from its bandwidth.

Writing a token reads the active weights once, so no machine is faster than its memory; how near to
that it comes, runs have shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.hub.variant import Variant

SHARES: Final = (0.3, 0.7)
"""Of the bandwidth, what published runs of E2B to 31B on M1 Max to M3 Ultra came to (reported, not
measured here). Small models are at the lower end: their steps wait for more than memory."""


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """What a benchmark on this machine has measured."""

    name: str
    """Name of the model, as people read it."""
    size_bytes: int
    """Of its weights in memory."""
    tokens_per_second: float
    """Of writing, behind a short prompt."""
    share: float
    """Of the bandwidth that this was; 0: not known."""


@dataclass(frozen=True, slots=True)
class ExpectedSpeed:
    """Tokens a second of writing."""

    low: float
    high: float
    is_measured: bool
    """Whether this very model was measured on this machine."""

    @property
    def numbers(self) -> str:
        """For a table: `42`, `30–70`, `0.4–0.9`."""
        low, high = _rounded(self.low), _rounded(self.high)
        return high if low == high else f"{low}–{high}"

    @property
    def words(self) -> str:
        """For people: `42 tokens/s`, `about 30–70 tokens/s`."""
        return f"{'' if self.is_measured else 'about '}{self.numbers} tokens/s"


def _rounded(speed: float) -> str:
    return f"{speed:.0f}" if speed >= 9.5 else f"{speed:.1f}"


def expected_speed(
    variant: Variant, bandwidth: float, measured: Sequence[MeasuredSpeed] = ()
) -> ExpectedSpeed | None:
    """The speed to expect, by the best that is known; None where nothing is.

    Args:
        variant: What would be run.
        bandwidth: Bytes a second that the machine's memory moves; 0: not measured.
        measured: Earlier runs on this machine.
    """
    for run in measured:
        if is_run_of(run, variant):
            return ExpectedSpeed(run.tokens_per_second, run.tokens_per_second, is_measured=True)
    if bandwidth <= 0:
        return None
    most = bandwidth / variant.step_bytes
    shares = [run.share for run in measured if run.share > 0] or SHARES
    return ExpectedSpeed(min(shares) * most, max(shares) * most, is_measured=False)


def is_run_of(run: MeasuredSpeed, variant: Variant) -> bool:
    """Whether a run was of this variant: the same size, and as many bytes to 5 %."""
    difference = abs(run.size_bytes - variant.size_bytes)
    return run.name == f"Gemma 4 {variant.size.name}" and difference < 0.05 * variant.size_bytes
