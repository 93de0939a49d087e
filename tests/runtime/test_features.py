"""Features are computed once, remembered within bounds, and failures are not remembered."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gemma_tui.errors import AttachmentError
from gemma_tui.runtime.features import FeatureRequest, FeatureStore
from tests.engine.scenes import png, wav

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_the_same_medium_is_computed_once(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    store = FeatureStore(pool)
    picture = png(tmp_path / "a.png", (255, 0, 0))
    first = store.request(picture).result()
    (tmp_path / "a.png").unlink()
    renamed = replace(picture, name="another name.png")
    assert store.request(renamed).result() is first
    assert first.token_count == 64


def test_another_budget_is_another_feature(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    store = FeatureStore(pool)
    picture = png(tmp_path / "a.png", (255, 0, 0))
    counts = {
        b: store.request(replace(picture, token_budget=b)).result().token_count for b in (70, 140)
    }
    assert counts == {70: 64, 140: 121}


def test_a_clip_has_features_of_its_own(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    assert FeatureStore(pool).request(wav(tmp_path / "a.wav")).result().token_count == 25


def test_a_failure_is_told_and_not_remembered(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    store = FeatureStore(pool)
    picture = png(tmp_path / "a.png", (255, 0, 0))
    content = (tmp_path / "a.png").read_bytes()
    os.truncate(tmp_path / "a.png", 20)
    with pytest.raises(AttachmentError, match=r"a\.png"):
        store.request(picture).result()
    (tmp_path / "a.png").write_bytes(content)
    assert store.request(picture).result().token_count == 64


def test_the_longest_unused_is_forgotten_first(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    # A picture of 64 soft tokens has 576 patches of 768 float32 and two int32 each.
    size = 576 * (768 + 2) * 4
    store = FeatureStore(pool, max_bytes=2 * size)
    red, green, blue = (png(tmp_path / f"{number}.png", (number, 0, 0)) for number in (1, 2, 3))
    first, second = store.request(red).result(), store.request(green).result()
    assert store.request(red).result() is first
    store.request(blue).result()
    assert store.request(red).result() is first
    assert store.request(green).result() is not second


def test_one_medium_may_be_larger_than_the_bound(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    store = FeatureStore(pool, max_bytes=1)
    picture = png(tmp_path / "a.png", (255, 0, 0))
    first = store.request(picture).result()
    assert store.request(picture).result() is first


def test_features_that_nobody_wants_are_not_made(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    store = FeatureStore(pool, max_bytes=1)
    red, green = (png(tmp_path / f"{number}.png", (number, 0, 0)) for number in (1, 2))
    waiting = FeatureRequest(store, red, at_once=False)
    begun = FeatureRequest(store, green, at_once=True)
    made = begun.future().result()
    for name in ("1.png", "2.png"):
        (tmp_path / name).unlink()
    with pytest.raises(AttachmentError):
        waiting.future().result()
    with pytest.raises(AttachmentError):
        store.request(red).result()
    assert begun.future().result() is made
