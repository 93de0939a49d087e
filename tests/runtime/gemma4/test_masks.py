"""Who sees whom in a picture, and where chunks may end."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_tui.runtime.gemma4.masks import picture_runs, same_picture, see_pictures_both_ways
from gemma_tui.runtime.generate import chunk_ends

IMAGE, VIDEO = 180, 181
IDS = [2, IMAGE, IMAGE, IMAGE, 5, 6, IMAGE, VIDEO, 7, IMAGE]


def causal(length: int, keys: int, window: int) -> mx.array:
    queries, places = mx.arange(keys - length, keys)[:, None], mx.arange(keys)[None]
    return (places <= queries) & (places > queries - window)


def test_a_picture_is_a_run_of_placeholders() -> None:
    assert picture_runs(IDS, {IMAGE, VIDEO}) == ((1, 4), (6, 8), (9, 10))
    assert picture_runs([1, 2], {IMAGE}) == ()
    assert picture_runs([], {IMAGE}) == ()


def test_tokens_belong_together_as_the_runs_say() -> None:
    found = np.asarray(same_picture(mx.array([IDS]), (IMAGE, VIDEO)))
    expected = np.zeros((len(IDS), len(IDS)), dtype=bool)
    for start, stop in picture_runs(IDS, {IMAGE, VIDEO}):
        expected[start:stop, start:stop] = True
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("within_window", [True, False])
def test_both_ways_adds_what_follows_and_only_without_a_window_what_it_hides(
    within_window: bool,
) -> None:
    length, keys, window = len(IDS), len(IDS) + 4, 2
    base = causal(length, keys, window)
    same = same_picture(mx.array([IDS]), (IMAGE, VIDEO))
    seen = np.asarray(see_pictures_both_ways(base, same, within_window=within_window))
    first, last = 1, 3  # the ends of the first picture, in the chunk; 4 keys are older
    assert seen[first, 4 + last]
    assert bool(seen[last, 4 + first]) is not within_window
    assert not seen[last, 4 + 6]
    text = [0, 4, 5, 8]
    assert np.array_equal(seen[text], np.asarray(base)[text])
    assert not (np.asarray(base) & ~seen).any()


@settings(max_examples=200, deadline=None)
@given(
    gaps=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 90)), max_size=6),
    tail=st.integers(0, 40),
    chunk=st.integers(1, 70),
)
def test_chunks_cover_everything_and_split_no_picture(
    gaps: list[tuple[int, int]], tail: int, chunk: int
) -> None:
    whole, place = [], 0
    for text, picture in gaps:
        whole.append((place + text, place + text + picture))
        place += text + picture
    stop = place + tail
    ends = list(chunk_ends(0, stop, chunk, whole))
    starts = [0, *ends[:-1]]
    assert ends == sorted(set(ends))
    assert ends[-1:] == ([stop] if stop else [])
    assert not any(first < end < last for end in ends for first, last in whole)
    for start, end in zip(starts, ends, strict=False):
        assert end - start <= chunk or (start, end) in whole


@pytest.mark.parametrize(("start", "stop"), [(0, 15), (15, 30), (11, 19)])
def test_a_stretch_that_splits_a_picture_is_refused(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="split a picture"):
        list(chunk_ends(start, stop, 8, [(10, 20)]))
