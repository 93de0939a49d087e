"""A part of a picture, as a user names it. Pure values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gemma_tui.errors import UsageError

_PERCENT = r"\s*(\d{1,3}(?:\.\d+)?)\s*%?\s*"
_NUMBERS = re.compile(_PERCENT + f"[,;\\s]{_PERCENT}" * 3)
HINT = "Write left, top, width and height, as in 10%,20%,50%,50%, or a field from 1 to 9."


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle inside a picture."""

    left: float
    """In parts of the width, 0 to 1, like `width`."""
    top: float
    width: float
    height: float
    label: str
    """What the name of its file begins with."""

    @property
    def parts(self) -> tuple[float, float, float, float]:
        """Left, top, width and height."""
        return self.left, self.top, self.width, self.height


def grid_field(number: int) -> Region:
    """One of nine equal fields, 1 to 9, counted as one reads."""
    row, column = divmod(number - 1, 3)
    return Region(column / 3, row / 3, 1 / 3, 1 / 3, f"field {number}")


def parse_region(text: str) -> Region:
    """The part that `10%,20%,50%,50%` or the number of a field stands for.

    Raises:
        UsageError: It stands for none, or for nothing inside the picture.
    """
    if re.fullmatch(r"[1-9]", text.strip()):
        return grid_field(int(text))
    match = _NUMBERS.fullmatch(text)
    if match is None:
        raise UsageError(f"“{text}” is no part of a picture.", HINT)
    left, top, width, height = (float(number) / 100 for number in match.groups())
    if min(width, height) <= 0 or max(left + width, top + height) > 1.0001:
        raise UsageError(f"“{text}” is not inside the picture.", HINT)
    label = " ".join(f"{float(number):g}%" for number in match.groups())
    return Region(left, top, min(width, 1 - left), min(height, 1 - top), label)
