"""Parts of a sound as people write them."""

from __future__ import annotations

import pytest

from gemma_tui.errors import UsageError
from gemma_tui.time_range import parse_time_range

HOUR = 3_600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10:00-12:30", (600, 750)),
        ("600 - 750", (600, 750)),
        ("1:00:30 to 1:01:00", (3_630, 3_660)),
        ("90:00–91:30", (5_400, 5_490)),
        ("12:30-", (750, 3 * HOUR)),
        ("-0:20", (0, 20)),
        ("0-9:00:00", (0, 3 * HOUR)),
        ("1.5-2,25", (1.5, 2.25)),
        ("ALL", (0, 3 * HOUR)),
    ],
)
def test_parts(text: str, seconds: tuple[float, float]) -> None:
    assert parse_time_range(text, 3 * HOUR * 16_000) == tuple(round(s * 16_000) for s in seconds)


@pytest.mark.parametrize(
    "text", ["", "-", "10:00", "12:30-10:00", "5-5", "3:00:00-", "a-b", "1:2:3:4-", "٣-٤", "1-2-3"]
)
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"(a|the) sound"):
        parse_time_range(text, 3 * HOUR * 16_000)
