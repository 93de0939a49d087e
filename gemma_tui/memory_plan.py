"""How much memory a model will take, from the shape of its network and the size of its weights.

Arithmetic only, so that the engine plans with it before it loads a folder, and the app before it
downloads one. Knows neither MLX nor files. Measured against MLX's own peaks by
`tests/runtime/test_memory.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gemma_tui.chunk_size import MAX_CHUNK
from gemma_tui.errors import InsufficientMemoryError
from gemma_tui.generation import MemoryEstimate
from gemma_tui.network_shape import EmbedderShape, TowerShape
from gemma_tui.preprocessing.budget import TOKEN_BUDGETS

if TYPE_CHECKING:
    from gemma_tui.network_shape import NetworkShape

MINIMUM_CONTEXT: Final = 2048
"""A model that cannot hold this much is not worth loading."""

OVERHEAD_BYTES: Final = 400 * 1024 * 1024
"""Python and the libraries (130 MB measured), and the freed buffers MLX may keep (256 MiB)."""

CACHE_STEP: Final = 256
"""Tokens by which the cache of a global layer grows (mlx-lm's KVCache)."""

PATCHES_PER_TOKEN: Final = 9
"""3 by 3 patches are pooled into one soft token."""

_FUSED_HEAD_DIMS: Final = frozenset((64, 80, 128))
"""Heads whose attention on a GPU never stores all scores (mlx 0.32; read, not measured)."""

_QUERY_BLOCK: Final = 512
"""Queries that the vision tower attends at once on a CPU."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the arithmetic depends on beside the model."""

    item_bytes: int
    """Of one number in a step: 2 on a GPU (bf16), 4 on a CPU (fp32)."""
    chunk_tokens: int = MAX_CHUNK
    """Prompt tokens computed at once, at most."""

    @property
    def is_gpu(self) -> bool:
        """Whether attention may be fused."""
        return self.item_bytes == 2

    @property
    def feed_forward_copies(self) -> int:
        """Arrays of the inner width at a time: gate, up, product; more where GELU is not fused."""
        return 3 if self.is_gpu else 6


def cache_bytes(shape: NetworkShape, context: int, machine: Machine) -> int:
    """Keys and values of `context` tokens.

    A sliding layer keeps its window, and after a chunk as many tokens more as let the chunk's
    first one see all of its own (mlx-lm's RotatingKVCache).
    """
    whole = -(-context // CACHE_STEP) * CACHE_STEP
    kept = min(whole, shape.window + machine.chunk_tokens - 1)
    sliding = 2 * shape.sliding_layers * shape.sliding_width * kept
    return (shape.cached_numbers * whole + sliding) * machine.item_bytes


def remembered_bytes(shape: NetworkShape, context: int, machine: Machine) -> int:
    """What the prompt cache keeps of them beside those in use: of sliding layers the window."""
    sliding = 2 * shape.sliding_layers * shape.sliding_width * min(context, shape.window)
    return (shape.cached_numbers * context + sliding) * machine.item_bytes


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """A model on a machine.

    Args:
        shape: Of its network.
        weight_bytes: As they will lie in memory.
        machine: Where it will run.
        free_bytes: What may be used.
    """

    shape: NetworkShape
    weight_bytes: int
    machine: Machine
    free_bytes: int

    def estimate(self, context: int = 0, budget: int = 0) -> MemoryEstimate:
        """What a context and pictures of a budget need, and the largest setting that fits.

        Args:
            context: Tokens of prompt and reply together; 0: all that the model takes.
            budget: Soft tokens of the largest picture; 0: the largest there is.
        """
        most = self.shape.context_length
        context = min(context or most, most)
        budget = (budget or TOKEN_BUDGETS[-1]) if self.shape.vision is not None else 0
        fitting = self._fitting(context, budget)
        return MemoryEstimate(
            weight_bytes=self.weight_bytes,
            cache_bytes=self._caches(context),
            working_bytes=self._working(context, budget),
            overhead_bytes=OVERHEAD_BYTES,
            free_bytes=self.free_bytes,
            context_length=context,
            token_budget=budget,
            fitting_context=fitting[0],
            fitting_budget=fitting[1],
        )

    def _working(self, context: int, budget: int) -> int:
        match self.shape.vision:
            case TowerShape() as tower:
                seeing = vision_bytes(tower, budget, self.machine)
            case EmbedderShape() as embedder:
                seeing = embedder_bytes(embedder, budget, self.machine)
            case None:
                seeing = 0
        machine = self.machine
        if self.shape.keeps_pictures_whole and budget > machine.chunk_tokens:
            machine = replace(machine, chunk_tokens=budget)  # a picture longer than a chunk is one
        return max(seeing, prefill_bytes(self.shape, context, machine))

    def _needed(self, context: int, budget: int) -> int:
        working = self._working(context, budget)
        return self.weight_bytes + self._caches(context) + working + OVERHEAD_BYTES

    def _caches(self, context: int) -> int:
        in_use = cache_bytes(self.shape, context, self.machine)
        return in_use + remembered_bytes(self.shape, context, self.machine)

    def _fitting(self, context: int, budget: int) -> tuple[int, int]:
        """The largest picture that leaves a useful context, then the longest context beside it."""
        useful = min(context, MINIMUM_CONTEXT)
        budgets = [size for size in reversed(TOKEN_BUDGETS) if size <= budget] or [0]
        for size in budgets:
            if self._needed(useful, size) <= self.free_bytes:
                return self._longest(useful, context, size), size
        return 0, 0

    def _longest(self, fits: int, wanted: int, budget: int) -> int:
        """By halving; `fits` does."""
        if self._needed(wanted, budget) <= self.free_bytes:
            return wanted
        too_long = wanted
        while too_long - fits > CACHE_STEP:
            middle = (fits + too_long) // 2
            if self._needed(middle, budget) <= self.free_bytes:
                fits = middle
            else:
                too_long = middle
        return fits


def prefill_bytes(shape: NetworkShape, context: int, machine: Machine) -> int:
    """The most that the last chunk of a full context needs beside the caches.

    Its tokens, and the logits. A cache that grows is copied, too, one layer at a time; but only in
    a turn that took up no remembered state, whose caches take more than that copy.
    """
    chunk = min(machine.chunk_tokens, context)
    logits = 3 * shape.vocabulary * machine.item_bytes
    return chunk * token_bytes(shape, context, machine) + logits


def token_bytes(shape: NetworkShape, context: int, machine: Machine) -> int:
    """What one token of a chunk needs while it is computed.

    States that live through a layer, the inputs of all layers, attention, and the feed-forward.
    """
    states = 4 * shape.hidden_size + 3 * shape.layers * shape.per_layer_input
    # Doubly wide are only the layers without keys of their own, which see one token of a chunk.
    inner = shape.intermediate_size + shape.active_experts * shape.expert_size
    numbers = states + machine.feed_forward_copies * inner
    return numbers * machine.item_bytes + _attention_bytes(shape, context, machine)


def _attention_bytes(shape: NetworkShape, context: int, machine: Machine) -> int:
    """What a query needs in the layers of the costlier type.

    Query, key, value and result, and where nothing is fused a score against every key it may see,
    with a byte for each of them that says whether it may. Measured at both types (mlx 0.32.4).
    """
    reach = min(context, shape.window + machine.chunk_tokens - 1)
    kinds = [(shape.head_dim, reach)]
    if shape.global_layers > shape.ends_global:
        kinds.append((shape.global_head_dim, context))
    costs = []
    for head, keys in kinds:
        arrays = 4 * shape.attention_heads * head * machine.item_bytes
        is_fused = machine.is_gpu and head in _FUSED_HEAD_DIMS
        scores = 0 if is_fused else keys * (shape.attention_heads * machine.item_bytes + 1)
        costs.append(arrays + scores)
    return max(costs)


def vision_bytes(vision: TowerShape, budget: int, machine: Machine) -> int:
    """The most that the vision tower needs for one picture of `budget` soft tokens.

    The larger of attention and feed-forward, with the states that live through a layer and the
    pixels, which are there twice in float32.
    """
    patches = budget * PATCHES_PER_TOKEN
    heads, head = vision.attention_heads, vision.head_dim
    attention = patches * 6 * heads * head
    if not machine.is_gpu:
        # One head and one block of queries at a time, outside of MLX.
        attention += 2 * _QUERY_BLOCK * patches
    elif head not in _FUSED_HEAD_DIMS:
        attention += heads * patches * patches
    feed_forward = patches * machine.feed_forward_copies * vision.intermediate_size
    states = patches * 6 * vision.hidden_size
    pixels = patches * 3 * vision.patch_size**2
    return (states + max(attention, feed_forward)) * machine.item_bytes + 2 * pixels * 4


def embedder_bytes(embedder: EmbedderShape, budget: int, machine: Machine) -> int:
    """The most that 12B's patch embedder needs for one picture of `budget` soft tokens.

    The pixels, which are there twice in float32, then three times on their way through patches and
    their normalisation, and the states of one layer.
    """
    pixels = budget * 3 * embedder.token_side**2
    return 2 * pixels * 4 + (3 * pixels + 4 * budget * embedder.hidden_size) * machine.item_bytes


def require_memory(plan: MemoryPlan) -> MemoryEstimate:
    """The estimate of all that the model takes, if anything useful of it fits.

    Raises:
        InsufficientMemoryError: Not even a short conversation does; says the figures.
    """
    estimate = plan.estimate()
    if estimate.fitting_context:
        return estimate
    smallest = plan.estimate(MINIMUM_CONTEXT, TOKEN_BUDGETS[0])
    picture = f", pictures of {smallest.token_budget} tokens" if smallest.token_budget else ""
    raise InsufficientMemoryError(
        f"The model needs {_gigabytes(smallest.total_bytes)} of memory"
        f" (weights {_gigabytes(smallest.weight_bytes)}, a context of"
        f" {smallest.context_length:,} tokens {_gigabytes(smallest.cache_bytes)}{picture} and"
        f" working space {_gigabytes(smallest.working_bytes + smallest.overhead_bytes)}), and"
        f" {_gigabytes(smallest.free_bytes)} are free.",
        "Close other programs, or choose a smaller model or one with fewer bits.",
    )


def describe_limit(estimate: MemoryEstimate) -> str:
    """A sentence on what memory does not allow; empty if it allows everything."""
    if estimate.fits:
        return ""
    allowed = f"a context of {estimate.fitting_context:,} tokens"
    wanted = f"{estimate.context_length:,}"
    if estimate.token_budget:
        allowed += f" with pictures of {estimate.fitting_budget}"
        wanted += f" with {estimate.token_budget}"
    return (
        f"Memory allows {allowed}, not {wanted}: {_gigabytes(estimate.free_bytes)} are free, and"
        f" {_gigabytes(estimate.total_bytes)} would be needed."
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"
