"""Media are encoded once, and remembered within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.preprocessing.audio import AudioFeatures
from gemma_tui.preprocessing.patches import ImageFeatures
from gemma_tui.runtime.encoder import MediaEncoder
from gemma_tui.runtime.prompt import MediaSpan

if TYPE_CHECKING:
    from gemma_tui.conversation import MediaKind
    from gemma_tui.runtime.gemma4.model import Gemma4

PICTURE = ImageFeatures(np.zeros((9, 768), np.float32), np.zeros((9, 2), np.int32), (3, 3), 1)
CLIP = AudioFeatures(np.zeros((4, 128), np.float32), 1, np.zeros((1, 640), np.float32))
SOFT_BYTES = 16


class Towers:
    """Counts how often it is asked; every answer is another one of 16 bytes."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode_image(self, features: ImageFeatures) -> mx.array:
        assert features is PICTURE
        return self._answer("image")

    def encode_audio(self, features: AudioFeatures) -> mx.array:
        assert features is CLIP
        return self._answer("audio")

    def _answer(self, kind: str) -> mx.array:
        self.asked.append(kind)
        return mx.full((1, 4), len(self.asked), dtype=mx.float32)


@pytest.fixture
def towers() -> Towers:
    return Towers()


def encoder_of(towers: Towers, max_bytes: int = 1000) -> MediaEncoder:
    return MediaEncoder(cast("Gemma4", towers), max_bytes=max_bytes)


def span(sha256: str, *, budget: int = 70, kind: MediaKind = "image") -> MediaSpan:
    return MediaSpan(5, 6, kind, sha256, budget)


def test_a_medium_is_encoded_once_wherever_it_stands(towers: Towers) -> None:
    encoder = encoder_of(towers)
    first = encoder.encode(span("a"), PICTURE)
    assert encoder.encode(MediaSpan(90, 91, "image", "a", 70), PICTURE) is first
    assert encoder.encode(span("a", budget=0, kind="audio"), CLIP) is not first
    assert towers.asked == ["image", "audio"]


def test_what_nobody_wants_again_is_not_remembered(towers: Towers) -> None:
    encoder = encoder_of(towers)
    encoder.encode(span("a", budget=0, kind="audio"), CLIP, is_kept=False)
    assert encoder.recall(span("a", budget=0, kind="audio")) is None
    encoder.encode(span("a", budget=0, kind="audio"), CLIP)
    assert towers.asked == ["audio", "audio"]


@pytest.mark.parametrize("other", [span("b"), span("a", budget=140)])
def test_another_file_or_budget_is_another_medium(towers: Towers, other: MediaSpan) -> None:
    encoder = encoder_of(towers)
    assert encoder.encode(span("a"), PICTURE).tolist() == [[1.0] * 4]
    assert encoder.encode(other, PICTURE).tolist() == [[2.0] * 4]


def test_the_longest_unused_is_forgotten_first(towers: Towers) -> None:
    encoder = encoder_of(towers, max_bytes=2 * SOFT_BYTES)
    for name in ("a", "b", "a", "c", "a", "b"):
        encoder.encode(span(name), PICTURE)
    assert len(towers.asked) == 4
    encoder.clear()
    encoder.encode(span("a"), PICTURE)
    assert len(towers.asked) == 5


def test_one_medium_may_be_larger_than_the_bound(towers: Towers) -> None:
    encoder = encoder_of(towers, max_bytes=1)
    assert encoder.encode(span("a"), PICTURE) is encoder.encode(span("a"), PICTURE)
