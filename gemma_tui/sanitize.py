"""Text from outside made harmless to show: nothing in it can act on the terminal or hide.

Decides by the single character, never by its neighbours, so that a sequence split over two pieces
of a stream is caught as well: `sanitize(a) + sanitize(b) == sanitize(a + b)`. Stores nothing and
knows no widget: whoever shows model text, file names or pasted text calls it; what is stored stays
as it came.
"""

from __future__ import annotations

import re
from typing import Final

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

_UNSAFE: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f"  # C0 but tab and newline, and DEL: the terminal obeys these
    "\x80-\x9f"  # C1: 8-bit forms of the same
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls: text that reads otherwise
    "\u2028\u2029"  # line breaks that are no newline
    "\u00ad\u034f\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\ufeff"  # zero width
    "\ufe00-\ufe0d\ufff0-\ufffb\ufffe\uffff"  # selectors nobody types, annotation, non-characters
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers: letters that look like nothing
    "\ud800-\udfff"  # lone surrogates cannot be encoded for the terminal
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # formatting of shorthand and of music
    "\U000e0000-\U000e0fff"  # tags and the supplementary selectors: invisible payload
    "\U0010eeee"  # stands for a piece of a picture where the terminal shows them
    "]"
)


def sanitize(text: str) -> str:
    r"""Replace every character that could act on a terminal, reorder text, or hide.

    Newline and tab stay. Other C0 controls and DEL become their control picture (ESC is shown as
    `␛`), everything else that is dangerous becomes `U+FFFD`; every character becomes exactly one,
    so positions stay as they were. What real scripts need stays: combining marks, the zero-width
    joiner and non-joiner (emoji families, Persian, Indic scripts) and the two selectors that pick
    an emoji's form (`U+FE0E`, `U+FE0F`).
    """
    return _UNSAFE.sub(_visible, text)


def sanitize_line(text: str) -> str:
    """`sanitize` for a name or a title: newlines and tabs become spaces too."""
    return sanitize(text).replace("\n", " ").replace("\t", " ")


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\N{SYMBOL FOR DELETE}" if code == 0x7F else _REPLACEMENT
