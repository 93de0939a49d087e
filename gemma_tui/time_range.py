"""A part of a sound, as a user names it: `10:00-12:30`. Pure."""

from __future__ import annotations

import re
from typing import Final

from gemma_tui.errors import UsageError

SAMPLES_PER_SECOND: Final = 16_000

_TIME: Final = r"(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,6}(?:[.,]\d{1,3})?)"
_RANGE: Final = re.compile(rf"\s*(?:{_TIME})?\s*(?:-|to|–)\s*(?:{_TIME})?\s*", re.ASCII)
HINT: Final = "Write when it begins and ends, as in 10:00-12:30, 90- or -1:30:00; all is all of it."


def parse_time_range(text: str, total: int) -> tuple[int, int]:
    """Between which samples at 16 kHz a part of a sound lies.

    Args:
        text: Seconds, minutes or hours with colons, from and to; without the one it begins, without
            the other it ends with the sound. `all` is all of it.
        total: Samples of the sound.

    Raises:
        UsageError: It is no part, or one that lies behind the end.
    """
    if text.strip().lower() == "all":
        return 0, total
    match = _RANGE.fullmatch(text)
    if match is None or not any(match.groups()):
        raise UsageError(f"“{text}” is no part of a sound.", HINT)
    start, stop = _samples(match.groups()[:3], 0), _samples(match.groups()[3:], total)
    if start >= min(stop, total):
        raise UsageError(f"“{text}” is not inside the sound.", HINT)
    return start, min(stop, total)


def _samples(parts: tuple[str | None, ...], absent: int) -> int:
    if parts[-1] is None:
        return absent
    seconds = 0.0
    for part in parts:
        seconds = 60 * seconds + float((part or "0").replace(",", "."))
    return round(seconds * SAMPLES_PER_SECOND)
