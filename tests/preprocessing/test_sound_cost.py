"""What a sound is said to cost: exact where that is known, else marked as an estimate."""

from __future__ import annotations

import pytest

from gemma_tui.conversation import Attachment, Segment
from gemma_tui.preprocessing.sound_cost import (
    is_unsplit,
    sound_length,
    sound_range,
    sound_tokens_words,
    with_range,
)

SECOND = 16_000


def sound(seconds: float, *segments: Segment) -> Attachment:
    count = round(seconds * SECOND)
    return Attachment("s", "audio", "a", "audio/wav", 1, sample_count=count, segments=segments)


def clip(start: float, stop: float) -> Segment:
    return Segment("audio", round(start * SECOND), round((stop - start) * SECOND))


@pytest.mark.parametrize(
    ("item", "length", "tokens"),
    [
        (sound(4.2), "4.2 s", "105 tokens"),
        (sound(30), "30.0 s", "750 tokens"),
        (sound(303), "5:03 · ~14 clips", "~7,580 tokens"),
        (sound(10_800), "3:00:00 · ~491 clips", "~270,000 tokens"),
        (sound(50, clip(0, 25), clip(25, 50)), "0:50 · 2 clips", "1,250 tokens"),
        (sound(10_800, clip(600, 750)), "10:00–12:30 of 3:00:00 · ~7 clips", "~3,750 tokens"),
        (sound(10_800, clip(600, 620)), "10:00–10:20 of 3:00:00 · 1 clip", "500 tokens"),
    ],
)
def test_length_and_cost(item: Attachment, length: str, tokens: str) -> None:
    assert (sound_length(item), sound_tokens_words(item)) == (length, tokens)
    assert is_unsplit(item) == ("~" in length)


def test_a_range_can_be_chosen_and_taken_back() -> None:
    whole = sound(100)
    part = with_range(whole, 10 * SECOND, 500 * SECOND)
    assert sound_range(part) == (10 * SECOND, 100 * SECOND)
    assert with_range(part, 0, 100 * SECOND) == whole
