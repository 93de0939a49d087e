"""The graphics protocol of kitty, as far as this app speaks it: its escape sequences, as text.

A picture is sent once; where it is seen, cells of text stand for its pieces (Unicode placeholders),
so that it is scrolled, cut and covered as text is. See "Terminal graphics protocol" in the
documentation of kitty. The terminal is asked for nothing (`q=2`), so it answers nothing. Pure.
"""

from __future__ import annotations

import re
import zlib
from base64 import standard_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDER: Final = "\U0010eeee"
"""Stands for a piece of a picture, with marks above it for its row and column."""

GRAPHIC: Final = "graphic"
"""In the meta of a style: its text stands for a picture. No text from outside can bring it."""

_MARKS: Final = (
    "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352\u0357"
    "\u035b\u0363\u0364\u0365\u0366\u0367\u0368\u0369\u036a\u036b\u036c\u036d\u036e\u036f\u0483\u0484"
    "\u0485\u0486\u0487\u0592\u0593\u0594\u0595\u0597\u0598\u0599\u059c\u059d\u059e\u059f\u05a0\u05a1"
)
"""The numbers 0 to 47: the beginning of kitty's `rowcolumn-diacritics.txt`."""

MAX_CELLS: Final = len(_MARKS)
"""Of a picture, across and down."""

PIECE_BYTES: Final = 4096
"""Base64 that one sequence may carry."""

_CELLS: Final = re.compile(f"(?:{PLACEHOLDER}[{_MARKS}]{{2}})+")

_TERMINALS: Final = frozenset({"xterm-kitty", "xterm-ghostty"})
"""What `TERM` says where placeholders are known. Others speak the protocol without them, so the
protocol's own question would be answered with a yes that is none."""


@dataclass(frozen=True, slots=True)
class Graphic:
    """A picture that the terminal has.

    Args:
        image_id: 1 to 2**24 - 1: the colour of the cells that stand for it.
        columns: Cells across.
        rows: Cells down.
    """

    image_id: int
    columns: int
    rows: int

    @property
    def colour(self) -> str:
        """The foreground that names it, as six hex digits."""
        return f"{self.image_id:06x}"

    def cells(self, row: int, columns: int) -> str:
        """The first `columns` cells of a row of it."""
        return "".join(
            f"{PLACEHOLDER}{_MARKS[row]}{_MARKS[column]}"
            for column in range(min(columns, self.columns))
        )


def are_cells(text: str) -> bool:
    """Whether a text is cells of pictures and nothing else."""
    return _CELLS.fullmatch(text) is not None


def shows_placeholders(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that it is one that knows them; one inside another does not."""
    is_nested = bool(environ.get("TMUX") or environ.get("STY"))
    return environ.get("TERM", "") in _TERMINALS and not is_nested


def sent(graphic: Graphic, width: int, height: int, rgb: bytes) -> str:
    """The sequences that give the terminal a picture, and the size at which its cells show it.

    Args:
        graphic: Its number and size in cells.
        width: Pixels across.
        height: Pixels down.
        rgb: `width * height` pixels row by row, a byte each for red, green, blue.
    """
    data = standard_b64encode(zlib.compress(rgb)).decode()
    pieces = [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]
    about = f"a=t,f=24,o=z,s={width},v={height},i={graphic.image_id},q=2,"
    found = []
    for number, piece in enumerate(pieces, 1):
        found.append(f"\x1b_G{about}m={int(number < len(pieces))};{piece}\x1b\\")
        about = "q=2,"
    place = f"a=p,U=1,i={graphic.image_id},c={graphic.columns},r={graphic.rows},q=2"
    return "".join((*found, f"\x1b_G{place}\x1b\\"))


def deleted(graphic: Graphic) -> str:
    """The sequence that has the terminal forget a picture."""
    return f"\x1b_Ga=d,d=I,i={graphic.image_id},q=2\x1b\\"
