"""What a reader takes for one character: never broken over rows, spans or colours.

Widths are Rich's (`cell_len`), which Textual lays out by; terminals that disagree with it are
beyond our reach.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, TypeVar

from rich.cells import cell_len, split_graphemes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Style = TypeVar("_Style")

_JOINER: Final = "\u200d"
_EXTENDING: Final = "\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_FLAG_LETTERS: Final = range(0x1F1E6, 0x1F200)


def extends(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to the one before it."""
    if at <= 0 or at >= len(text) or text[at] < "\u0300":
        return False
    character = text[at]
    return (
        character in _EXTENDING
        or unicodedata.category(character).startswith("M")
        or (text[at - 1] == _JOINER and not text[at - 1 : at + 1].isspace())
    )


def graphemes(text: str) -> Iterator[tuple[int, int]]:
    """Start and width in cells of every character as readers count them."""
    found: list[tuple[int, int]] = []
    is_half_flag = False
    for start, stop, cells in split_graphemes(text)[0]:
        is_flag_letter = ord(text[start]) in _FLAG_LETTERS and stop - start == 1
        if found and (extends(text, start) or (is_half_flag and is_flag_letter)):
            found[-1] = (found[-1][0], cell_len(text[found[-1][0] : stop]))
            is_half_flag = False
        else:
            found.append((start, cells))
            is_half_flag = is_flag_letter
    yield from found


def grown(text: str, start: int, stop: int) -> tuple[int, int]:
    """The range from `start` to `stop`, grown until it begins and ends between graphemes."""
    if text.isascii():
        return start, stop
    starts = [at for at, _ in graphemes(text)]
    first = max((at for at in starts if at <= start), default=start)
    return first, min((at for at in starts if at >= stop), default=max(stop, len(text)))


def whole_graphemes(spans: Sequence[tuple[str, _Style]]) -> list[tuple[str, _Style]]:
    """The same text with no grapheme in two spans: it goes to the span it begins in."""
    if len(spans) < 2 or all(text.isascii() for text, _ in spans):
        return list(spans)
    plain = "".join(text for text, _ in spans)
    starts = [start for start, _ in graphemes(plain)]
    starts.append(len(plain))
    found: list[tuple[str, _Style]] = []
    begin = stop = 0
    index = 0
    for text, style in spans:
        stop += len(text)
        while starts[index] < stop:
            index += 1
        if begin < starts[index]:
            found.append((plain[begin : starts[index]], style))
            begin = starts[index]
    return found
