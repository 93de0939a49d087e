"""The audio tower: log-mel frames of one clip in, one soft token for every four frames out.

A conformer (`Gemma4AudioModel` of the reference): two strided convolutions, then layers of half a
feed-forward, local attention, a light convolution and the other half. Takes one whole clip without
padding, so it needs no mask but the start of the clip.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mlx.core as mx
from mlx import nn

from gemma_tui.runtime.gemma4.layers import ClippedLinear, clamp

if TYPE_CHECKING:
    from gemma_tui.runtime.gemma4.config import AudioConfig

MEL_BINS = 128
"""Bands of a mel frame (feature_size of the reference's feature extractor)."""

_LAYER_EPS = 1e-6
"""Epsilon of the norms that ignore the config's (the reference's `Gemma4RMSNorm` default)."""

_INVALID_SCORE = -1e9
"""Score of a key before the clip's start (attention_invalid_logits_value)."""


class AudioTower(nn.Module):
    """Encoder of one clip.

    Args:
        config: The tower's shape.
    """

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self._config = config
        self.subsample_conv_projection = _Subsampling(config)
        self.layers = [_Layer(config) for _ in range(config.num_hidden_layers)]
        self.output_proj = nn.Linear(config.hidden_size, config.output_proj_dims, bias=True)

    def __call__(self, features: mx.array) -> mx.array:
        """Encode one clip.

        Args:
            features: [frames, 128], log-mel energies, 10 ms a frame, no padding.

        Returns:
            [ceil(ceil(frames / 2) / 2), output_proj_dims], in the type of the weights.
        """
        hidden = self.subsample_conv_projection(features)
        distances = relative_positions(
            self._config.attention_context_left - 1, self._config.hidden_size, hidden.dtype
        )
        for layer in self.layers:
            hidden = layer(hidden, distances)
        return self.output_proj(hidden)


class _Subsampling(nn.Module):
    """Two convolutions, each halving time and bands; then a projection of what is left."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        first, second = config.subsampling_conv_channels
        self.layer0 = _SubsamplingLayer(1, first, config.rms_norm_eps)
        self.layer1 = _SubsamplingLayer(first, second, config.rms_norm_eps)
        self.input_proj_linear = nn.Linear(MEL_BINS // 4 * second, config.hidden_size, bias=False)

    def __call__(self, features: mx.array) -> mx.array:
        # The type of a convolution: unlike projections, those are never quantised.
        planes = features.astype(self.layer0.conv.weight.dtype)[None, :, :, None]
        planes = self.layer1(self.layer0(planes))
        return self.input_proj_linear(planes.reshape(planes.shape[1], -1))


class _SubsamplingLayer(nn.Module):
    def __init__(self, inputs: int, outputs: int, eps: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=1, bias=False)
        self.norm = nn.LayerNorm(outputs, eps=eps, bias=False)

    def __call__(self, planes: mx.array) -> mx.array:
        return nn.relu(self.norm(self.conv(planes)))


class _Layer(nn.Module):
    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.feed_forward1 = _FeedForward(config)
        self.feed_forward2 = _FeedForward(config)
        self.self_attn = _LocalAttention(config)
        self.lconv1d = _LightConvolution(config)
        self.norm_pre_attn = nn.RMSNorm(size, eps=_LAYER_EPS)
        self.norm_post_attn = nn.RMSNorm(size, eps=_LAYER_EPS)
        self.norm_out = nn.RMSNorm(size, eps=_LAYER_EPS)
        self._limit = config.gradient_clipping

    def __call__(self, hidden: mx.array, distances: mx.array) -> mx.array:
        hidden = self.feed_forward1(hidden)
        attended = self.self_attn(self.norm_pre_attn(clamp(hidden, self._limit)), distances)
        hidden = hidden + self.norm_post_attn(clamp(attended, self._limit))
        hidden = self.feed_forward2(self.lconv1d(hidden))
        return self.norm_out(clamp(hidden, self._limit))


class _FeedForward(nn.Module):
    """Adds half of its output (residual_weight): there are two in a layer."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        size, clipped = config.hidden_size, config.use_clipped_linears
        self.ffw_layer_1 = ClippedLinear(size, 4 * size, clipped=clipped)
        self.ffw_layer_2 = ClippedLinear(4 * size, size, clipped=clipped)
        self.pre_layer_norm = nn.RMSNorm(size, eps=_LAYER_EPS)
        self.post_layer_norm = nn.RMSNorm(size, eps=_LAYER_EPS)
        self._limit = config.gradient_clipping
        self._weight = config.residual_weight

    def __call__(self, hidden: mx.array) -> mx.array:
        fed = self.pre_layer_norm(clamp(hidden, self._limit))
        fed = self.ffw_layer_2(nn.silu(self.ffw_layer_1(fed)))
        return self.post_layer_norm(clamp(fed, self._limit)) * self._weight + hidden


class _LightConvolution(nn.Module):
    """A gated depthwise convolution over the present frame and those before it."""

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        size, clipped = config.hidden_size, config.use_clipped_linears
        self.linear_start = ClippedLinear(size, 2 * size, clipped=clipped)
        self.linear_end = ClippedLinear(size, size, clipped=clipped)
        self.depthwise_conv1d = nn.Conv1d(
            size, size, kernel_size=config.conv_kernel_size, groups=size, bias=False
        )
        self.pre_layer_norm = nn.RMSNorm(size, eps=config.rms_norm_eps)
        self.conv_norm = nn.RMSNorm(size, eps=config.rms_norm_eps)
        self._past = config.conv_kernel_size - 1
        self._limit = config.gradient_clipping

    def __call__(self, hidden: mx.array) -> mx.array:
        value, gate = mx.split(self.linear_start(self.pre_layer_norm(hidden)), 2, axis=-1)
        gated = mx.pad(value * mx.sigmoid(gate), [(self._past, 0), (0, 0)])
        mixed = self.depthwise_conv1d(gated[None])[0]
        mixed = nn.silu(self.conv_norm(clamp(mixed, self._limit)))
        return self.linear_end(mixed) + hidden


class _LocalAttention(nn.Module):
    """Each frame attends to itself and the frames just before it, with relative positions.

    The reference computes this in blocks with a shift; here each query meets its own band of keys,
    which gives the same scores without either.
    """

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        size, clipped = config.hidden_size, config.use_clipped_linears
        self.q_proj = ClippedLinear(size, size, clipped=clipped)
        self.k_proj = ClippedLinear(size, size, clipped=clipped)
        self.v_proj = ClippedLinear(size, size, clipped=clipped)
        self.post = ClippedLinear(size, size, clipped=clipped)
        self.relative_k_proj = nn.Linear(size, size, bias=False)
        head_dim = size // config.num_attention_heads
        self.per_dim_scale = mx.zeros((head_dim,))
        self._heads = config.num_attention_heads
        self._cap = config.attention_logit_cap
        # Scales of the reference: queries in units of ln 2, keys by softplus(1) in the same unit.
        self._query_scale = head_dim**-0.5 / math.log(2)
        self._key_scale = math.log(1 + math.e) / math.log(2)

    def __call__(self, hidden: mx.array, distances: mx.array) -> mx.array:
        """[frames, size] to the same; `distances` is [span, size], farthest first."""
        frames, span = hidden.shape[0], distances.shape[0]
        shape = (-1, self._heads, self.per_dim_scale.shape[0])
        queries = self.q_proj(hidden).astype(mx.float32).reshape(shape)
        queries = queries * (self._query_scale * _softplus(self.per_dim_scale))
        keys = self.k_proj(hidden).astype(mx.float32).reshape(shape) * self._key_scale
        values = self.v_proj(hidden).astype(mx.float32).reshape(shape)
        relative = self.relative_k_proj(distances).astype(mx.float32).reshape(shape)

        queries = queries[:, :, None]
        scores = queries @ _bands(keys, span).swapaxes(-1, -2)
        scores = scores + queries @ relative.transpose(1, 2, 0)[None]
        scores = mx.tanh(scores / self._cap) * self._cap
        place = mx.arange(frames)[:, None] + mx.arange(span)[None] - (span - 1)
        scores = mx.where((place >= 0)[:, None, None], scores, _INVALID_SCORE)
        attended = mx.softmax(scores, axis=-1) @ _bands(values, span)
        return self.post(attended.reshape(frames, -1).astype(hidden.dtype))


def _softplus(x: mx.array) -> mx.array:
    return mx.logaddexp(x.astype(mx.float32), 0.0)


def _bands(x: mx.array, span: int) -> mx.array:
    """For each frame the `span` rows that end with it; zeros before the start.

    [frames, heads, head_dim] to [frames, heads, span, head_dim].
    """
    padded = mx.pad(x, [(span - 1, 0), (0, 0), (0, 0)])
    rows = mx.arange(x.shape[0])[:, None] + mx.arange(span)[None]
    return padded[rows].swapaxes(1, 2)


def relative_positions(span: int, size: int, dtype: mx.Dtype) -> mx.array:
    """Sinusoids of the distances span-1, …, 1, 0.

    Source: `Gemma4AudioRelPositionalEncoding` of the reference: time scales from 1 to 10,000 in
    size/2 geometric steps, sines then cosines. Its farthest distance, `span`, is always masked.

    Args:
        span: How many keys a query sees, itself included.
        size: Width, even, at least 4.
        dtype: Of the result.

    Returns:
        [span, size].
    """
    scales = size // 2
    step = math.log(10_000.0) / max(scales - 1, 1)
    frequencies = mx.exp(mx.arange(scales, dtype=mx.float32) * -step)
    angles = mx.arange(span - 1, -1, -1).astype(mx.float32)[:, None] * frequencies[None]
    return mx.concatenate([mx.sin(angles), mx.cos(angles)], axis=-1).astype(dtype)
