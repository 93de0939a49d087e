"""Layers both towers are built from."""

from __future__ import annotations

import mlx.core as mx
from mlx import nn


class ClippedLinear(nn.Module):
    """A projection without bias whose input and output may be clamped.

    The bounds come from the checkpoint, as scalars; without clipping there are none.

    Args:
        inputs: Width of the input.
        outputs: Width of the output.
        clipped: Whether the checkpoint has bounds.
    """

    def __init__(self, inputs: int, outputs: int, *, clipped: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self._clipped = clipped
        if clipped:
            self.input_min = mx.array(-mx.inf)
            self.input_max = mx.array(mx.inf)
            self.output_min = mx.array(-mx.inf)
            self.output_max = mx.array(mx.inf)

    def __call__(self, x: mx.array) -> mx.array:
        """[..., inputs] to [..., outputs], in the type of `x`."""
        if not self._clipped:
            return self.linear(x)
        x = mx.clip(x, self.input_min, self.input_max)
        return mx.clip(self.linear(x), self.output_min, self.output_max)


class Embedder(nn.Module):
    """From a tower's width to the decoder's: a norm without weights, then a projection.

    Args:
        inputs: Width of the tower's output.
        outputs: Hidden size of the decoder.
        eps: Added to the mean square.
    """

    def __init__(self, inputs: int, outputs: int, *, eps: float) -> None:
        super().__init__()
        self.embedding_projection = nn.Linear(inputs, outputs, bias=False)
        self._eps = eps

    def __call__(self, x: mx.array) -> mx.array:
        """[..., inputs] to [..., outputs]."""
        return self.embedding_projection(mx.fast.rms_norm(x, None, self._eps))


def clamp(x: mx.array, limit: float) -> mx.array:
    """Keep values within ±limit, or within what the type can hold."""
    bound = min(limit, float(mx.finfo(x.dtype).max))
    return mx.clip(x, -bound, bound)


def on_cpu() -> bool:
    """There is no GPU: single precision and few, large operations are what is fast."""
    return mx.default_device() == mx.Device(mx.cpu)
