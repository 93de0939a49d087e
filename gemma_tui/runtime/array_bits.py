"""Arrays of MLX as bits and back, without a loss and without a copy on the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import mlx.core as mx
import numpy as np

from gemma_tui.runtime.disk_cache import StoredArray

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES: Final = {mx.float32: "F32", mx.float16: "F16", mx.bfloat16: "BF16"}
"""The types that a network computes in, by their names in safetensors."""

_TYPES: Final = {name: dtype for dtype, name in _NAMES.items()}


def stored(arrays: Iterable[mx.array]) -> list[StoredArray]:
    """The bits of arrays, which are evaluated; another thread may read and drop them."""
    columns = [(array, _NAMES[array.dtype]) for array in arrays]
    bits = [array.view(mx.uint16) if name == "BF16" else array for array, name in columns]
    mx.eval(bits)
    return [
        StoredArray(name, np.array(array, copy=False))
        for array, (_, name) in zip(bits, columns, strict=True)
    ]


def restored(array: StoredArray) -> mx.array:
    """An array from bits, which are copied."""
    values = mx.array(array.bits)
    return values.view(mx.bfloat16) if array.dtype == "BF16" else values


def dtype_of(array: StoredArray) -> mx.Dtype | None:
    """The type that `restored` gives; None for bits that are no floating-point numbers."""
    return _TYPES.get(array.dtype)
