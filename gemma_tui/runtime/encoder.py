"""Soft tokens of the pictures and sounds of a prompt, remembered within bounds.

A prompt that starts cold again (another system prompt, thinking switched on) brings the same media,
and a tower takes longer for one of them than the decoder does for its soft tokens. Lives on the
MLX thread; knows nothing of files and prompts.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeAlias

import mlx.core as mx

from gemma_tui.preprocessing.image import ImageFeatures

if TYPE_CHECKING:
    from gemma_tui.runtime.features import Features
    from gemma_tui.runtime.gemma4.model import Gemma4
    from gemma_tui.runtime.prompt import MediaSpan

_Key: TypeAlias = tuple[str, str, int]

MAX_SOFT_TOKEN_BYTES: Final = 64 * 1024 * 1024
"""For E2B in 16 bits: 18 pictures at the largest budget (3.4 MB each), or 27 clips of 30 s."""


class MediaEncoder:
    """The towers of one model, each medium encoded once per (kind, sha256, budget).

    Args:
        model: The network.
        max_bytes: Soft tokens beyond this are forgotten, the longest unused first.
    """

    def __init__(self, model: Gemma4, *, max_bytes: int = MAX_SOFT_TOKEN_BYTES) -> None:
        self._model = model
        self._max_bytes = max_bytes
        self._known: OrderedDict[_Key, mx.array] = OrderedDict()

    def encode(self, span: MediaSpan, features: Features) -> mx.array:
        """Soft tokens [count, hidden] of one medium, evaluated.

        Args:
            span: What the medium is.
            features: Its features, of that budget.

        Raises:
            CapabilityError: The model has no tower for it.
            LimitError: It has a shape that the tower cannot take.
        """
        key = (span.kind, span.sha256, span.token_budget)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        if isinstance(features, ImageFeatures):
            soft = self._model.encode_image(features)
        else:
            soft = self._model.encode_audio(features)
        mx.eval(soft)
        self._known[key] = soft
        while len(self._known) > 1 and self._total() > self._max_bytes:
            self._known.popitem(last=False)
        return soft

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()

    def _total(self) -> int:
        return sum(soft.nbytes for soft in self._known.values())
