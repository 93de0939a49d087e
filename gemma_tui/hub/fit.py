"""Does it fit? What a model would take of this machine, before it is downloaded or loaded.

The arithmetic is `memory_plan`'s, by which the engine refuses to load what does not fit. Pure: what
the machine has, others find out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from gemma_tui.byte_size import format_size
from gemma_tui.hub.speed import ExpectedSpeed, expected_speed
from gemma_tui.memory_plan import MINIMUM_CONTEXT, Machine, MemoryPlan
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gemma_tui.hub.speed import MeasuredSpeed
    from gemma_tui.hub.variant import Variant

Verdict: TypeAlias = Literal["fits", "tight", "no"]

SHORT_CONTEXT: Final = 4096
USEFUL_CONTEXT: Final = 32_768
"""What a long conversation or a few documents take: a model that holds this much `fits`."""

DISK_RESERVE: Final = 1_000_000_000
"""Bytes that stay free beside a download: a system without any is in trouble itself."""


@dataclass(frozen=True, slots=True)
class Host:
    """What this machine has."""

    memory_bytes: int
    """All that is built in; 0: not known."""
    free_bytes: int
    """What arrays may take (`ComputeDevice.free_bytes`)."""
    has_gpu: bool
    disk_free_bytes: int
    """Where models are downloaded to."""
    bandwidth: float = 0.0
    """Bytes a second that its memory moves; 0: not measured."""

    @property
    def machine(self) -> Machine:
        """The same for the memory plan."""
        return Machine(item_bytes=2 if self.has_gpu else 4)


@dataclass(frozen=True, slots=True)
class FitRow:
    """What one context takes."""

    context_length: int
    with_pictures: bool
    """Of the largest token budget."""
    total_bytes: int
    fits: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """A model on this machine."""

    verdict: Verdict
    """`fits`: `USEFUL_CONTEXT` and the largest pictures do, or all that the model takes. `tight`:
    something shorter does. `no`: it will not be loaded."""
    rows: tuple[FitRow, ...]
    largest_context: int
    """Tokens that the engine would load it with; 0: it refuses."""
    largest_budget: int
    """Of pictures, likewise; 0 for a model that cannot see, too."""
    weight_bytes: int
    free_bytes: int
    disk_bytes: int
    """What a download takes; 0: it is here already."""
    has_disk: bool
    """Whether there is room for it on the disk."""
    least_bytes: int
    """What it would take with the shortest context and the smallest pictures."""
    speed: ExpectedSpeed | None = None

    @property
    def sentence(self) -> str:
        """The verdict with its figures."""
        free = f"{format_size(self.free_bytes)} are free"
        room = f"a context of {self.largest_context:,} tokens"
        if self.largest_budget:
            room += f" with pictures of {self.largest_budget}"
        match self.verdict:
            case "fits":
                return f"Fits with {room}; {free}."
            case "tight":
                return f"Tight: {free}, which is enough for {room}."
            case "no":
                return f"Does not fit: it needs {format_size(self.least_bytes)} at least; {free}."


def fit_variant(variant: Variant, host: Host, measured: Sequence[MeasuredSpeed] = ()) -> Fit:
    """What a variant of the catalogue would take of this machine.

    Args:
        variant: What would be downloaded.
        host: The machine.
        measured: Earlier benchmarks on it, for the speed.
    """
    weights = variant.weight_bytes(has_gpu=host.has_gpu)
    plan = MemoryPlan(variant.size.shape, weights, host.machine, host.free_bytes)
    return fit_plan(
        plan,
        disk_bytes=variant.size_bytes,
        disk_free_bytes=host.disk_free_bytes,
        speed=expected_speed(variant, host.bandwidth, measured),
    )


def fit_plan(
    plan: MemoryPlan,
    *,
    disk_bytes: int = 0,
    disk_free_bytes: int = 0,
    speed: ExpectedSpeed | None = None,
) -> Fit:
    """What a model would take, by its memory plan.

    Args:
        plan: Shape, weights and machine.
        disk_bytes: What has to be downloaded; 0: nothing.
        disk_free_bytes: Room on the disk.
        speed: What to expect.
    """
    whole = plan.estimate()
    useful = min(USEFUL_CONTEXT, whole.context_length)
    is_roomy = plan.estimate(useful, whole.token_budget).fits
    return Fit(
        verdict="fits" if is_roomy else "tight" if whole.fitting_context else "no",
        rows=tuple(_rows(plan)),
        largest_context=whole.fitting_context,
        largest_budget=whole.fitting_budget,
        weight_bytes=plan.weight_bytes,
        free_bytes=plan.free_bytes,
        disk_bytes=disk_bytes,
        has_disk=disk_bytes == 0 or disk_bytes + DISK_RESERVE <= disk_free_bytes,
        speed=speed,
        least_bytes=plan.estimate(MINIMUM_CONTEXT, TOKEN_BUDGETS[0]).total_bytes,
    )


def built_in_memory() -> int:
    """Bytes of memory in this machine; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0


def _rows(plan: MemoryPlan) -> Iterator[FitRow]:
    """Short, useful and full context, without pictures and with the largest."""
    most = plan.shape.context_length
    plans = [(False, replace(plan, shape=replace(plan.shape, vision=None)))]
    if plan.shape.vision is not None:
        plans.append((True, plan))
    for context in sorted({min(most, size) for size in (SHORT_CONTEXT, USEFUL_CONTEXT, most)}):
        for with_pictures, one in plans:
            estimate = one.estimate(context)
            yield FitRow(context, with_pictures, estimate.total_bytes, estimate.fits)
