"""The vision tower: patches of one picture in, pooled soft tokens out.

Takes features as preprocessing makes them: one picture, no padding, patches in rows from the top
left. Knows nothing of files, budgets or the decoder's width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
from mlx import nn

from gemma_tui.runtime.gemma4.layers import ClippedLinear, on_cpu

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.config import VisionConfig

_QUERY_BLOCK = 512
"""Queries attended at once on a CPU. Their scores against all patches of a 1120-token picture take
20 MB; those of all queries would take 400 MB a head. Each row's softmax stays whole."""


class VisionTower(nn.Module):
    """Encoder of one picture.

    Args:
        config: The tower's shape.
    """

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self._config = config
        self.patch_embedder = _PatchEmbedder(config)
        self.encoder = _Encoder(config)
        if config.standardize:
            self.std_bias = mx.zeros((config.hidden_size,))
            self.std_scale = mx.ones((config.hidden_size,))

    def __call__(self, pixels: mx.array, positions: mx.array, grid: tuple[int, int]) -> mx.array:
        """Encode one picture.

        Args:
            pixels: [patches, 768], 0 to 1, patches in rows from the top left.
            positions: [patches, 2], integers: column and row of each patch.
            grid: Columns and rows of patches, multiples of the pooling size.

        Returns:
            [patches / 9, hidden], in the type of the weights.
        """
        hidden = self.patch_embedder(pixels, positions)
        dtype = hidden.dtype
        hidden = self.encoder(hidden, positions)
        hidden = _pool(hidden.astype(mx.float32), grid, self._config.pooling_kernel_size)
        hidden = hidden * self._config.hidden_size**0.5
        if self._config.standardize:
            bias, scale = self.std_bias.astype(mx.float32), self.std_scale.astype(mx.float32)
            hidden = (hidden - bias) * scale
        return hidden.astype(dtype)


class _PatchEmbedder(nn.Module):
    """Projects patches and adds learned embeddings of their column and row."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.input_proj = nn.Linear(3 * config.patch_size**2, config.hidden_size, bias=False)
        self.position_embedding_table = mx.zeros(
            (2, config.position_embedding_size, config.hidden_size)
        )

    def __call__(self, pixels: mx.array, positions: mx.array) -> mx.array:
        table = self.position_embedding_table
        # The network was trained on pixels from -1 to 1.
        hidden = self.input_proj((2 * (pixels - 0.5)).astype(table.dtype))
        # Two look-ups: a one-hot product over 10,240 places would need gigabytes.
        return hidden + (table[0][positions[:, 0]] + table[1][positions[:, 1]])


class _Encoder(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.layers = [_EncoderLayer(config) for _ in range(config.num_hidden_layers)]
        self._head_dim = config.head_dim
        self._theta = config.rope_theta

    def __call__(self, hidden: mx.array, positions: mx.array) -> mx.array:
        rotation = axial_rotation(positions, self._head_dim, self._theta, hidden.dtype)
        for layer in self.layers:
            hidden = layer(hidden, rotation)
        return hidden


class _EncoderLayer(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        size, eps = config.hidden_size, config.rms_norm_eps
        self.self_attn = _Attention(config)
        self.mlp = _Mlp(config)
        self.input_layernorm = nn.RMSNorm(size, eps=eps)
        self.post_attention_layernorm = nn.RMSNorm(size, eps=eps)
        self.pre_feedforward_layernorm = nn.RMSNorm(size, eps=eps)
        self.post_feedforward_layernorm = nn.RMSNorm(size, eps=eps)

    def __call__(self, hidden: mx.array, rotation: tuple[mx.array, mx.array]) -> mx.array:
        attended = self.self_attn(self.input_layernorm(hidden), rotation)
        hidden = hidden + self.post_attention_layernorm(attended)
        fed = self.mlp(self.pre_feedforward_layernorm(hidden))
        return hidden + self.post_feedforward_layernorm(fed)


class _Attention(nn.Module):
    """Every patch attends to every patch; queries and keys are normalised, so the scale is 1."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        size, head, clipped = config.hidden_size, config.head_dim, config.use_clipped_linears
        queries, keys = config.num_attention_heads * head, config.num_key_value_heads * head
        self.q_proj = ClippedLinear(size, queries, clipped=clipped)
        self.k_proj = ClippedLinear(size, keys, clipped=clipped)
        self.v_proj = ClippedLinear(size, keys, clipped=clipped)
        self.o_proj = ClippedLinear(queries, size, clipped=clipped)
        self.q_norm = nn.RMSNorm(head, eps=config.rms_norm_eps)
        self.k_norm = nn.RMSNorm(head, eps=config.rms_norm_eps)
        self._head_dim = head
        self._eps = config.rms_norm_eps

    def __call__(self, hidden: mx.array, rotation: tuple[mx.array, mx.array]) -> mx.array:
        patches = hidden.shape[0]
        shape = (patches, -1, self._head_dim)
        queries = _rotate(self.q_norm(self.q_proj(hidden).reshape(shape)), rotation)
        keys = _rotate(self.k_norm(self.k_proj(hidden).reshape(shape)), rotation)
        values = mx.fast.rms_norm(self.v_proj(hidden).reshape(shape), None, self._eps)
        attended = _attend(*(x.transpose(1, 0, 2)[None] for x in (queries, keys, values)))
        return self.o_proj(attended[0].transpose(1, 0, 2).reshape(patches, -1))


class _Mlp(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        size, inner, clipped = (
            config.hidden_size,
            config.intermediate_size,
            config.use_clipped_linears,
        )
        self.gate_proj = ClippedLinear(size, inner, clipped=clipped)
        self.up_proj = ClippedLinear(size, inner, clipped=clipped)
        self.down_proj = ClippedLinear(inner, size, clipped=clipped)

    def __call__(self, hidden: mx.array) -> mx.array:
        return self.down_proj(nn.gelu_approx(self.gate_proj(hidden)) * self.up_proj(hidden))


def _attend(queries: mx.array, keys: mx.array, values: mx.array) -> mx.array:
    """Attention over [1, heads, patches, head_dim]; there may be fewer key heads than heads."""
    if on_cpu():
        return _attend_on_cpu(queries, keys, values)
    return mx.fast.scaled_dot_product_attention(queries, keys, values, scale=1.0)


def _attend_on_cpu(queries: mx.array, keys: mx.array, values: mx.array) -> mx.array:
    """The same with numpy, at once: MLX has neither a fast exponential nor a fast product there.

    Measured for 2,394 patches and 4 heads of 32: 0.6 s of CPU instead of 3.1 (mlx 0.32.4).
    """
    q, k, v = (np.asarray(x[0].astype(mx.float32)) for x in (queries, keys, values))
    attended = np.empty_like(q)
    group = len(q) // len(k)
    for head in range(len(q)):
        for start in range(0, q.shape[1], _QUERY_BLOCK):
            block = slice(start, start + _QUERY_BLOCK)
            scores = q[head, block] @ k[head // group].T
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            total = scores.sum(axis=-1, keepdims=True)
            attended[head, block] = scores @ v[head // group] / total
    return mx.array(attended)[None].astype(queries.dtype)


def axial_rotation(
    positions: mx.array, head_dim: int, theta: float, dtype: mx.Dtype
) -> tuple[mx.array, mx.array]:
    """Cosines and sines that turn half of each head by the column, half by the row.

    Source: `Gemma4VisionRotaryEmbedding` of the reference: frequencies
    theta^(-2i / (head_dim / 2)) for i below head_dim / 4, the same for both directions.

    Args:
        positions: [patches, 2], integers: column and row.
        head_dim: Width of a head, a multiple of 4.
        theta: Base of the frequencies.
        dtype: Of the result; the angles themselves are float32.

    Returns:
        Two arrays [patches, 1, 2, head_dim / 4]: one row of angles for each direction.
    """
    exponents = mx.arange(0, head_dim // 2, 2, dtype=mx.float32) / (head_dim // 2)
    angles = positions[:, None, :, None].astype(mx.float32) * (1.0 / theta**exponents)
    return mx.cos(angles).astype(dtype), mx.sin(angles).astype(dtype)


def _rotate(x: mx.array, rotation: tuple[mx.array, mx.array]) -> mx.array:
    """Turn [patches, heads, head_dim]; within each half the pairs lie a quarter head apart."""
    cosine, sine = rotation
    patches, heads, head_dim = x.shape
    parts = x.reshape(patches, heads, 2, 2, head_dim // 4)
    first, second = parts[:, :, :, 0], parts[:, :, :, 1]
    turned = mx.stack([first * cosine - second * sine, second * cosine + first * sine], axis=3)
    return turned.reshape(x.shape)


def _pool(hidden: mx.array, grid: tuple[int, int], size: int) -> mx.array:
    """Mean of each `size` by `size` square of patches: [patches, width] to [squares, width]."""
    columns, rows = grid
    squares = hidden.reshape(rows // size, size, columns // size, size, -1)
    return squares.mean(axis=(1, 3)).reshape(-1, hidden.shape[-1])
