"""Numbers as they are typed behind a command."""

from __future__ import annotations

from typing import Final

from gemma_tui.errors import UsageError

MAX_DIGITS: Final = 18
"""SQLite holds every number of that many digits; Python reads none of more than 4,300."""


def number_in(text: str) -> int | None:
    """The number a text is; None if it is something else.

    Raises:
        UsageError: It has more digits than any number that could be meant.
    """
    if not text.isdecimal():
        return None
    if len(text) > MAX_DIGITS:
        raise UsageError(
            f"A number of {len(text):,} digits is none of a list.", "Take one that is shown."
        )
    return int(text)
