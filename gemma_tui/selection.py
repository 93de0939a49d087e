"""Which parts of a file are sent, as people write it: `1-5, 8`. Counted from 1 here, from 0 inside.

Pure. What a part is (a page, a line, a row) is the business of whoever asks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gemma_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH: Final = 1000
"""Characters of a selection."""

_MOST_DIGITS: Final = 18
"""More say only that a number is absurdly large, and Python refuses thousands of them."""

_RUN: Final = re.compile(r"(?P<first>\d+)?\s*(?P<dash>-)?\s*(?P<last>\d+)?", re.ASCII)
_DASHES: Final = str.maketrans("–—−‐‑", "-----")
_LABEL: Final = re.compile(r"page \d+ of (?P<count>\d+)", re.ASCII)


def page_label(index: int, count: int) -> str:
    """What stands in front of a page in the prompt, `index` being counted from 0."""
    return f"page {index + 1} of {count}"


def labelled_count(label: str) -> int:
    """How many pages the document has that a page with this label is of; 0 for another label."""
    found = _LABEL.fullmatch(label)
    return int(found["count"]) if found else 0


def parse_selection(text: str, count: int, unit: str) -> tuple[range, ...]:
    """The runs that a selection names, in its order, each counted from 0.

    `5` is one, `2-4` is three, `7-` goes to the last one, `-3` begins at the first one; `all` is
    everything. What reaches beyond the last one ends there.

    Args:
        text: For example `1-5, 8`.
        count: How many there are; at least 1.
        unit: What they are, in the singular.

    Raises:
        UsageError: It is no selection, or names nothing that is there.
    """
    if text.strip().casefold() == "all":
        return (range(count),)
    if len(text) > MAX_LENGTH or not text.strip(" ,"):
        raise _not_understood(unit)
    pieces = (piece.strip() for piece in text.translate(_DASHES).split(","))
    return tuple(_run(piece, count, unit) for piece in pieces if piece)


def _run(piece: str, count: int, unit: str) -> range:
    found = _RUN.fullmatch(piece)
    if found is None or not (found["first"] or found["last"]):
        raise _not_understood(unit)
    first = _number(found["first"], 1)
    last = _number(found["last"], count) if found["dash"] else first
    if first > count:
        ones = f"one {unit}" if count == 1 else f"{count:,} {unit}s"
        raise UsageError(
            f"There is no {unit} {first:,}: the file has {ones}.",
            f"Name {unit}s from 1 to {count:,}.",
        )
    if not 1 <= first <= last:
        raise _not_understood(unit)
    return range(first - 1, min(last, count))


def _number(digits: str | None, default: int) -> int:
    return int(digits[:_MOST_DIGITS]) if digits else default


def _not_understood(unit: str) -> UsageError:
    return UsageError(
        f"That does not say which {unit}s.", f"Write {unit}s like 1-5, 8 or 20-, or all."
    )


def selected(runs: Iterable[range]) -> tuple[int, ...]:
    """Every index once, in ascending order: a document is read from front to back."""
    return tuple(sorted({index for run in runs for index in run}))


def describe_selection(indexes: Iterable[int]) -> str:
    """Ascending indexes from 0 as people write them: `1-5, 8`."""
    runs: list[list[int]] = []
    for index in indexes:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ", ".join(
        f"{first + 1}" if first == last else f"{first + 1}-{last + 1}" for first, last in runs
    )
