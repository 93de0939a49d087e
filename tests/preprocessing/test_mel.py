"""Log-mel features, against the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gemma_tui.preprocessing.budget import mel_frames
from gemma_tui.preprocessing.mel import LogMel, mel_filters
from tests.golden import preprocessing_inputs as inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@pytest.mark.parametrize("length", inputs.CLIP_LENGTHS)
@pytest.mark.parametrize("kind", inputs.KINDS)
def test_features_equal_the_reference(
    golden: Mapping[str, NDArray[Any]], kind: str, length: int
) -> None:
    features = LogMel()(inputs.clip(kind, length))
    assert features.dtype == np.float32
    assert features.shape == (mel_frames(length), 128)
    shown = features[inputs.shown_frames(len(features))]
    np.testing.assert_allclose(shown, golden[f"mel_{kind}_{length}"], rtol=0, atol=1e-4)
    double = features.astype(np.float64)
    moments = np.stack([double.mean(0), (double**2).mean(0)])
    np.testing.assert_allclose(moments, golden[f"moments_{kind}_{length}"], rtol=0, atol=1e-4)


def test_less_than_a_frame_has_no_features() -> None:
    assert LogMel()(np.ones(160, np.float32)).shape == (0, 128)


def test_filters_are_triangles_in_order() -> None:
    filters = mel_filters()
    assert filters.shape == (257, 128)
    assert filters.min() == 0
    assert filters.max() <= 1
    used = filters[:, filters.max(axis=0) > 0]
    assert (np.diff(used.argmax(axis=0)) >= 0).all()
    # every bin between the first and the last filter lies on one or two slopes that add up to 1
    assert np.allclose(filters[5:250].sum(axis=1), 1)


def test_what_comes_later_changes_nothing_before() -> None:
    clip = inputs.clip("noise", 16_000)
    start = LogMel()(clip[:8_000])
    np.testing.assert_array_equal(LogMel()(clip)[: len(start)], start)
