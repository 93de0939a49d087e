"""Conversations that fill a context, and what MLX took at most for them, against the estimate."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import mlx.core as mx

from gemma_tui.memory_plan import OVERHEAD_BYTES
from gemma_tui.runtime.loader import plan_memory
from tests.engine.scenes import ask
from tests.runtime.talk import Talk, never

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

NEW_TOKENS = 1040
"""Of the last turn: two whole chunks, in the second of which all caches are in use."""

_REPLY_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Peak:
    """One conversation."""

    context_tokens: int
    measured_bytes: int
    """Of arrays, those of the weights included."""
    estimated_bytes: int
    """The same, without what the process keeps for itself."""

    @property
    def ratio(self) -> float:
        """Estimated by measured."""
        return self.estimated_bytes / self.measured_bytes


def measure(folder: Path, context: int, pool: ThreadPoolExecutor) -> Peak:
    """Two turns that fill about `context` tokens, the second behind a remembered state."""
    gc.collect()
    others = mx.get_active_memory()  # what tests before this one still hold
    talk = Talk(folder, pool)
    first = _words(talk, context - NEW_TOKENS)
    said, _ = talk.reply(ask(first, max_tokens=_REPLY_TOKENS))
    talk.inference.keep_reply()
    talk.inference.use_pause(never)
    second = _words(talk, context - 2 * _REPLY_TOKENS, first, said)
    _, end = talk.reply(ask(first, said, second, max_tokens=_REPLY_TOKENS))
    assert end.usage.cached_tokens > context - NEW_TOKENS - 100
    used = end.usage.context_tokens
    plan = plan_memory(folder, 1 << 62)
    blind = replace(plan, shape=replace(plan.shape, vision=None))
    estimate = blind.estimate(used)
    assert estimate.context_length == used
    measured = end.usage.peak_memory_bytes - others
    return Peak(used, measured, estimate.total_bytes - OVERHEAD_BYTES)


def _words(talk: Talk, tokens: int, *before: str) -> str:
    """A text with which the prompt takes almost so many tokens."""

    def size(count: int) -> int:
        return talk.inference.count(ask(*before, "a " * count, max_tokens=_REPLY_TOKENS)).tokens

    least, most = 0, tokens
    while most - least > 4:
        middle = (least + most) // 2
        least, most = (middle, most) if size(middle) <= tokens else (least, middle)
    return "a " * least
