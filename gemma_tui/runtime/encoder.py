"""Soft tokens of the pictures and sounds of a prompt, remembered in memory and on disk.

A prompt that starts cold again (another system prompt, thinking switched on, the app started anew)
brings the same media, and a tower takes longer for one of them than the decoder does for its soft
tokens. Lives on the MLX thread; knows nothing of files and prompts.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import mlx.core as mx

from gemma_tui.preprocessing.patches import ImageFeatures
from gemma_tui.runtime.array_bits import dtype_of, restored, stored

if TYPE_CHECKING:
    from gemma_tui.generation import MediaKey
    from gemma_tui.runtime.disk_cache import DiskCache
    from gemma_tui.runtime.features import Features
    from gemma_tui.runtime.gemma4.model import Gemma4
    from gemma_tui.runtime.prompt import MediaSpan

MAX_SOFT_TOKEN_BYTES: Final = 64 * 1024 * 1024
"""For E2B in 16 bits: 18 pictures at the largest budget (3.4 MB each), or 27 clips of 30 s."""

FORMAT: Final = b"gemma-tui soft tokens 1"
"""Goes into the name of every file; another number makes all older ones strangers."""

_ARRAY: Final = "soft"


class SoftTokenStore:
    """Soft tokens on disk, by medium and model.

    Args:
        disk: Where they are.
        digest: Of the model.
        width: Components of a soft token.
    """

    def __init__(self, disk: DiskCache, digest: str, width: int) -> None:
        self._disk = disk
        self._digest = digest
        self._width = width

    def count(self, key: MediaKey) -> int | None:
        """How many soft tokens are stored of a medium."""
        shape = self._disk.shape(self._name(key), _ARRAY)
        return shape[0] if shape and shape[1:] == (self._width,) else None

    def load(self, key: MediaKey) -> mx.array | None:
        """The stored soft tokens of a medium."""
        name = self._name(key)
        array = (self._disk.read(name) or {}).get(_ARRAY)
        if array is None or dtype_of(array) is None:
            return None
        if array.bits.ndim != 2 or array.bits.shape[1] != self._width:
            return None
        self._disk.used([name])
        return restored(array)

    def save(self, key: MediaKey, soft: mx.array) -> None:
        """Store soft tokens, soon."""
        name = self._name(key)
        if not self._disk.has(name):
            (bits,) = stored([soft])
            self._disk.write(name, {_ARRAY: bits})

    def _name(self, key: MediaKey) -> str:
        # Whole files are named as before there were segments, so that known ones stay known.
        fields = key[:3] if key[3:] == (0, 0) else key
        medium = " ".join(map(str, (self._digest, *fields)))
        return f"soft-{hashlib.sha256(FORMAT + medium.encode()).hexdigest()}"


class MediaEncoder:
    """The towers of one model, each medium encoded once (see `media_key`).

    Args:
        model: The network.
        store: Where those of earlier days are; None keeps nothing on disk.
        max_bytes: Soft tokens beyond this are forgotten, the longest unused first.
    """

    def __init__(
        self,
        model: Gemma4,
        *,
        store: SoftTokenStore | None = None,
        max_bytes: int = MAX_SOFT_TOKEN_BYTES,
    ) -> None:
        self._model = model
        self._store = store
        self._max_bytes = max_bytes
        self._counts: dict[MediaKey, int] = {}
        self._known: OrderedDict[MediaKey, mx.array] = OrderedDict()

    def count(self, key: MediaKey) -> int | None:
        """How many soft tokens a medium takes that was encoded before; None for another one."""
        if key not in self._counts and self._store and (count := self._store.count(key)):
            self._counts[key] = count
        return self._counts.get(key)

    def recall(self, span: MediaSpan) -> mx.array | None:
        """Soft tokens [count, hidden] that were computed before; None if there are none."""
        key = span.key
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        soft = self._store.load(key) if self._store else None
        if soft is None or soft.shape[0] != span.stop - span.start:
            return None
        return self._remember(key, soft)

    def encode(self, span: MediaSpan, features: Features, *, is_kept: bool = True) -> mx.array:
        """Soft tokens [count, hidden] of one medium, evaluated.

        Args:
            span: What the medium is.
            features: Its features, of that budget.
            is_kept: Whether it may be wanted again; a sound of hours that is written down clip by
                clip would push out all that is.

        Raises:
            CapabilityError: The model has no tower for it.
            LimitError: It has a shape that the tower cannot take.
        """
        if (known := self.recall(span)) is not None:
            return known
        key = span.key
        if isinstance(features, ImageFeatures):
            soft = self._model.encode_image(features)
        else:
            soft = self._model.encode_audio(features)
        mx.eval(soft)
        if not is_kept:
            return soft
        if self._store:
            self._store.save(key, soft)
        return self._remember(key, soft)

    def clear(self) -> None:
        """Forget everything that is in memory."""
        self._known.clear()
        self._counts.clear()

    def _remember(self, key: MediaKey, soft: mx.array) -> mx.array:
        self._counts[key] = soft.shape[0]
        self._known[key] = soft
        while len(self._known) > 1 and self._total() > self._max_bytes:
            self._known.popitem(last=False)
        return soft

    def _total(self) -> int:
        return sum(soft.nbytes for soft in self._known.values())
