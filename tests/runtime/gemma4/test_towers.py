from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
import pytest

from gemma_tui.preprocessing.audio import AudioFeatures
from gemma_tui.runtime.gemma4.vision import _attend_on_cpu

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gemma_tui.runtime.gemma4.model import Gemma4


def heard(frames: NDArray[np.float32]) -> AudioFeatures:
    """Log-mel frames as features for an audio tower."""
    return AudioFeatures(frames, -(-len(frames) // 4), np.zeros((0, 640), np.float32))


@pytest.mark.parametrize("patches", [9, 511, 513])
@pytest.mark.parametrize("key_heads", [1, 2, 4])
def test_attention_on_a_cpu_is_that_of_mlx(patches: int, key_heads: int) -> None:
    key = mx.random.key(patches)
    shapes = [(1, 4, patches, 8), (1, key_heads, patches, 8), (1, key_heads, patches, 8)]
    queries, keys, values = (
        mx.random.normal(shape, key=part)
        for shape, part in zip(shapes, mx.random.split(key, 3), strict=True)
    )
    found = _attend_on_cpu(queries, keys, values)
    with mx.stream(mx.cpu):
        expected = mx.fast.scaled_dot_product_attention(queries, keys, values, scale=1.0)
        assert np.allclose(np.asarray(found), np.asarray(expected), atol=1e-5)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 8, 9, 47, 48, 49, 99])
def test_two_strided_convolutions_leave_a_quarter_of_the_frames(model: Gemma4, frames: int) -> None:
    features = heard(np.zeros((frames, 128), dtype=np.float32))
    assert model.encode_audio(features).shape == ((frames + 3) // 4, 64)


def test_sound_after_a_moment_does_not_change_what_was_heard_before(model: Gemma4) -> None:
    """No token looks beyond its own four frames, but each hears what came before."""
    sound = np.random.RandomState(3).standard_normal((200, 128)).astype(np.float32)
    whole = np.asarray(model.encode_audio(heard(sound)))
    start = np.asarray(model.encode_audio(heard(sound[:120])))
    later = np.asarray(model.encode_audio(heard(sound[80:])))
    assert np.allclose(whole[:30], start, atol=1e-5)
    assert not np.allclose(whole[20], later[0], atol=1e-2)
