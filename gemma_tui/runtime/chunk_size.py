"""How many prompt tokens are read at a time: as many as memory has room for.

Whole numbers in, whole numbers out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.config import TextConfig

MIN_CHUNK: Final = 32
"""Below this a chunk costs little less than a token does, whatever memory there is."""

MAX_CHUNK: Final = 512
"""More is hardly faster, and Esc would be noticed later."""

_SHARE: Final = 4
"""A chunk may take this part of what is free: the rest is for the caches and other programs."""


def chunk_size(*, free_bytes: int, token_bytes: int) -> int:
    """Tokens of a chunk: a power of two from `MIN_CHUNK` to `MAX_CHUNK`.

    Powers of two, so that the buffers of one chunk serve the next prompt's as well.

    Args:
        free_bytes: Memory that may be used.
        token_bytes: What one token of a chunk takes while it is computed.
    """
    room = free_bytes // _SHARE // max(1, token_bytes)
    size = 1 << max(0, room.bit_length() - 1)  # the largest power of two that is not above it
    return min(MAX_CHUNK, max(MIN_CHUNK, size))


def token_bytes(text: TextConfig, prompt_tokens: int, item_bytes: int) -> int:
    """What a token takes at most while one layer reads a chunk, in bytes.

    Counts what is alive at once: the hidden states around a layer (input, residual, normalised),
    its queries, keys, values and attended values, the three products of its feed-forward and of
    the experts it takes, the inputs of all layers if they have any, and the attention scores over
    the whole prompt before and after the softmax, which no fused kernel spares heads as wide as
    Gemma 4's.

    Args:
        text: The decoder.
        prompt_tokens: How long the prompt will be.
        item_bytes: Size of one number.
    """
    width = max(text.head_dim, text.global_head_dim)
    heads = text.num_attention_heads
    attention = 2 * (heads + text.num_key_value_heads) * width
    feed_forward = 3 * text.intermediate_size * (2 if text.use_double_wide_mlp else 1)
    if experts := text.experts:
        feed_forward += 3 * experts.active * experts.intermediate_size
    per_layer = text.num_hidden_layers * text.hidden_size_per_layer_input
    scores = 2 * heads * prompt_tokens
    return item_bytes * (3 * text.hidden_size + attention + feed_forward + per_layer + scores)
