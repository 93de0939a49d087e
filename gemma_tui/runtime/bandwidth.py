"""How fast this machine's memory is, and how much of a model is read for every token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
from mlx.utils import tree_flatten

from gemma_tui.engine.bandwidth_request import Bandwidth

if TYPE_CHECKING:
    from gemma_tui.runtime.loader import LoadedModel

MAX_BYTES: Final = 256 * 1024 * 1024
"""Of the array that is copied: far more than any cache holds."""

_SHARE: Final = 8
"""The array takes at most this part of what is free, and so does its copy."""

_ROUNDS: Final = 5
"""The fastest counts: others were disturbed, and the first one also gets its pages."""


def measure_bandwidth(free_bytes: int, loaded: LoadedModel | None) -> Bandwidth:
    """Copy an array a few times; on the MLX thread, some tenths of a second.

    Args:
        free_bytes: What may be used.
        loaded: The model in memory, if any.
    """
    count = max(1 << 20, min(MAX_BYTES, free_bytes // _SHARE)) // 4
    source = mx.ones((count,), mx.float32)
    mx.eval(source)
    best = 0.0
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        copy = mx.negative(source)  # a plain copy might be the same buffer
        mx.eval(copy)
        seconds = time.perf_counter() - started
        best = max(best, 2 * source.nbytes / max(seconds, 1e-9))
        del copy
    del source
    mx.clear_cache()
    return Bandwidth(best, step_bytes(loaded) if loaded is not None else 0)


def step_bytes(loaded: LoadedModel) -> int:
    """Bytes of weights that writing one token reads: all of the decoder, with two exceptions.

    Of the table of per-layer embeddings it is one row, of the experts those that the token meets.
    """
    experts, network = loaded.config.text.experts, loaded.model.language_model
    share = experts.active / experts.count if experts else 1.0
    rows_only = ["embed_tokens_per_layer"]
    if "lm_head" in network:  # otherwise the embeddings are the output layer, too
        rows_only.append("embed_tokens.")
    total = 0.0
    parameters: Any = network.parameters()  # type: ignore[no-untyped-call]
    for name, tensor in dict(tree_flatten(parameters)).items():
        if not any(table in name for table in rows_only):
            total += tensor.nbytes * (share if ".switch_glu." in name else 1.0)
    return round(total)
