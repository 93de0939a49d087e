"""Features of the pictures and sounds of a prompt: made on a pool of threads, remembered.

A conversation's media come back with every turn, and a picture costs tens of milliseconds, so
features are kept by the sha256 of their bytes, the segment and the budget. Knows files and arrays
of numpy, nothing of the model.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from gemma_tui.generation import media_key
from gemma_tui.preprocessing.budget import audio_tokens, image_tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from gemma_tui.generation import Media, MediaInfo, MediaKey
    from gemma_tui.preprocessing.audio import AudioFeatures
    from gemma_tui.preprocessing.patches import ImageFeatures

Features: TypeAlias = "ImageFeatures | AudioFeatures"

AHEAD: Final = 6
"""Media of a prompt whose features are made before they are wanted."""

MAX_FEATURE_BYTES: Final = 256 * 1024 * 1024
"""Room for eight pictures at the largest budget (31 MB each), or hundreds of clips (1.5 MB)."""


class FeatureStore:
    """Computes features once per medium (see `media_key`) and keeps the latest.

    Args:
        pool: Where features are computed.
        compute: Makes them of a medium, on a thread of the pool; raises an `AttachmentError`.
        max_bytes: Finished features beyond this are forgotten, the longest unused first.
    """

    def __init__(
        self,
        pool: Executor,
        compute: Callable[[Media], Features] | None = None,
        *,
        max_bytes: int = MAX_FEATURE_BYTES,
    ) -> None:
        self._pool = pool
        self._compute = compute or compute_here
        self._max_bytes = max_bytes
        self._futures: OrderedDict[MediaKey, Future[Features]] = OrderedDict()
        self._sizes: dict[MediaKey, int] = {}
        """Bytes of those that are finished."""
        self._lock = threading.Lock()

    def request(self, media: Media) -> Future[Features]:
        """Start to compute the features of `media`, unless they are known or on their way.

        The future fails with an `AttachmentError` when the file cannot be used; a failure is
        not remembered.
        """
        key = media_key(media)
        with self._lock:
            if known := self._futures.get(key):
                self._futures.move_to_end(key)
                return known
            future = self._pool.submit(self._make, key, media)
            self._futures[key] = future
            return future

    def _make(self, key: MediaKey, media: Media) -> Features:
        """Compute features, and keep the books before anyone hears of them."""
        try:
            features = self._compute(media)
        except BaseException:
            with self._lock:
                del self._futures[key]
            raise
        with self._lock:
            self._sizes[key] = _size(features)
            self._make_room(key)
        return features

    def _make_room(self, newest: MediaKey) -> None:
        excess = sum(self._sizes.values()) - self._max_bytes
        for key in [key for key in self._futures if key in self._sizes and key != newest]:
            if excess <= 0:
                break
            excess -= self._sizes.pop(key)
            del self._futures[key]


def soft_tokens(
    media: Media,
    of_sound: Callable[[int], int] = audio_tokens,
    look_into: Callable[[Path, str], MediaInfo] | None = None,
) -> int:
    """Soft tokens of a medium, by arithmetic where its size is known, else by looking into it.

    Args:
        media: A picture or a sound.
        of_sound: The model's tokens for a number of samples at 16 kHz.
        look_into: Tells what a file is; None looks into it in this process.

    Raises:
        AttachmentError: Its size is not known, and the file cannot be used.
    """
    if media.kind == "image" and media.width and media.height:
        return image_tokens(media.width, media.height, media.token_budget)
    if media.kind == "audio" and media.sample_count:
        return of_sound(media.sample_count)
    if look_into is None:
        from gemma_tui.preprocessing.probe import probe  # noqa: PLC0415  # as below

        look_into = probe
    info = look_into(Path(media.path), media.name)
    return soft_tokens(
        replace(media, width=info.width, height=info.height, sample_count=info.sample_count),
        of_sound,
    )


class FeatureRequest:
    """The features of one medium, made at once or when they are first wanted.

    They stay in memory until they are released.

    Args:
        store: Makes them.
        media: What they are of.
        at_once: Do not wait until they are wanted.
    """

    def __init__(self, store: FeatureStore, media: Media, *, at_once: bool) -> None:
        self._store = store
        self._media = media
        self._future = store.request(media) if at_once else None

    def future(self) -> Future[Features]:
        """Done when they are there; fails as `FeatureStore.request` says."""
        if self._future is None:
            self._future = self._store.request(self._media)
        return self._future

    def release(self) -> None:
        """They were used: sixty pages of a document, 31 MB each, are not held all at once."""
        self._future = None


def compute_here(media: Media) -> Features:
    """Features of a medium, decoded in this process; raises as the functions for its kind do."""
    # Imported here, off the main thread: numpy, Pillow and av take a while.
    path = Path(media.path)
    if media.kind == "image":
        from gemma_tui.preprocessing.patches import cut_patches  # noqa: PLC0415
        from gemma_tui.preprocessing.picture_part import picture_pixels  # noqa: PLC0415

        return cut_patches(picture_pixels(path, media.name, media.token_budget, media.start))
    from gemma_tui.preprocessing.audio import audio_features  # noqa: PLC0415

    return audio_features(path, media.name, media.start, media.length)


def _size(features: Features) -> int:
    values = (getattr(features, name) for name in features.__dataclass_fields__)
    return sum(getattr(value, "nbytes", 0) for value in values)
