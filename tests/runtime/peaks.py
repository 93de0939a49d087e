"""Conversations that fill a context, and what MLX took at most for them, against the estimate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np

from gemma_tui.memory_plan import OVERHEAD_BYTES, Machine, embedder_bytes, vision_bytes
from gemma_tui.network_shape import TowerShape
from gemma_tui.preprocessing.patches import ImageFeatures
from gemma_tui.runtime.gemma4.shape import shape_of
from gemma_tui.runtime.loader import load_model, plan_memory
from tests.engine.scenes import ask
from tests.runtime.talk import Talk, never

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NEW_TOKENS = 1040
"""Of the last turn: two whole chunks, in the second of which all caches are in use."""

COLUMNS, ROWS = 60, 42
"""Patches of a picture of 280 soft tokens."""

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
    return Peak(used, end.usage.peak_memory_bytes, estimate.total_bytes - OVERHEAD_BYTES)


def peaks_of(folder: Path, contexts: Sequence[int]) -> list[Peak]:
    """Conversations of several lengths."""
    with ThreadPoolExecutor(1) as pool:
        return [measure(folder, context, pool) for context in contexts]


def picture_peak(folder: Path) -> tuple[int, int, int]:
    """What MLX takes at most to see a picture of 280 soft tokens, the estimate, and numpy's part."""
    loaded = load_model(folder, lambda *_: None)
    places = [np.tile(np.arange(COLUMNS), ROWS), np.repeat(np.arange(ROWS), COLUMNS)]
    features = ImageFeatures(
        np.zeros((COLUMNS * ROWS, 768), dtype=np.float32),
        np.stack(places, axis=1).astype(np.int32),
        (COLUMNS, ROWS),
        280,
    )
    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    mx.eval(loaded.model.encode_image(features))
    taken = mx.get_peak_memory() - before
    vision = shape_of(loaded.config).vision
    if isinstance(vision, TowerShape):
        # Attention is numpy's on a CPU: the scores of a block, which MLX does not count.
        return taken, vision_bytes(vision, 280, Machine(4)), 2 * 512 * COLUMNS * ROWS * 4
    assert vision is not None
    return taken, embedder_bytes(vision, 280, Machine(4)), 0


def _words(talk: Talk, tokens: int, *before: str) -> str:
    """A text with which the prompt takes almost so many tokens."""

    def size(count: int) -> int:
        return talk.inference.count(ask(*before, "a " * count, max_tokens=_REPLY_TOKENS)).tokens

    least, most = 0, tokens
    while most - least > 4:
        middle = (least + most) // 2
        least, most = (middle, most) if size(middle) <= tokens else (least, middle)
    return "a " * least
