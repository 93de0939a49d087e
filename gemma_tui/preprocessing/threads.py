"""Work in parts, on every core that helps.

What numpy and Pillow do to a part, they do without holding Python back: so parts go on at the same
time. Knows nothing of what is done.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Part: TypeAlias = tuple[int, int]
"""The first of some rows, columns or frames, and the one behind the last."""

_MAX_THREADS: Final = 4
"""More would wait for memory."""


def share(work: Callable[[Part], None], length: int, *, most: int) -> None:
    """Do work on `length` rows: parts of equal size, one thread beside another.

    Args:
        work: Does one part; parts may be done in any order.
        length: Of everything.
        most: How long a part may be at most.
    """
    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    rounds = -(-length // (threads * most))
    step = max(1, -(-length // (threads * rounds))) if rounds else 1
    parts = [(start, min(start + step, length)) for start in range(0, length, step)]

    def some(first: int) -> None:
        for part in parts[first::threads]:
            work(part)

    others = [_pool().submit(some, first) for first in range(1, min(threads, len(parts)))]
    some(0)
    for other in others:
        other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    """The other threads. They stay: to start one takes as long as its part of a picture."""
    return ThreadPoolExecutor(_MAX_THREADS - 1, thread_name_prefix="part")
