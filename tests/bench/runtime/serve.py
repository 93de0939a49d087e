"""One side of a comparison, in a process of its own: one JSON object a line, asked and answered.

Runs under other programs' interpreters too, so it knows nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Stopwatch:
    """Wall time and processor time of this process, lap by lap."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def lap(self) -> dict[str, float]:
        """Seconds since the last lap."""
        wall, cpu = time.perf_counter(), time.process_time()
        taken = {"wall": wall - self._wall, "cpu": cpu - self._cpu}
        self._wall, self._cpu = wall, cpu
        return taken


def time_tokens(tokens: Iterator[Any], count: int) -> dict[str, Any]:
    """The first token, and the rate of the following ones in seconds a token."""
    watch = Stopwatch()
    next(tokens)
    first = watch.lap()
    following = sum(1 for _ in islice(tokens, count - 1))
    rest = watch.lap()
    return {"first": first, "step": {name: value / following for name, value in rest.items()}}


def time_calls(call: Callable[[], object], count: int) -> dict[str, float]:
    """Seconds a call."""
    call()
    watch = Stopwatch()
    for _ in range(count):
        call()
    return {name: value / count for name, value in watch.lap().items()}


def serve(commands: Mapping[str, Callable[..., Any]]) -> None:
    """Answer until stdin closes. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = commands[asked.pop("do")](**asked)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
