"""Draws tables: how wide each column is, and the rows of its cells.

The head and the first rows settle the widths, so later rows never move what is already shown.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from gemma_tui.tui.transcript.rows import Row, Spans, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.tui.transcript.inline import InlineParser
    from gemma_tui.tui.transcript.leaves import Alignment, Table, TableRows

MIN_COLUMN: Final = 3
"""Cells a column needs; a table that cannot give them is shown as text."""
_SEPARATOR: Final = " │ "


class TableLayout:
    """Turns tables into rows of spans."""

    def __init__(self, inline: InlineParser) -> None:
        # While a table streams, all its cells are drawn again and again.
        self._cell = lru_cache(maxsize=512)(inline.spans)
        self._settled: tuple[Table | None, int, list[int]] = (None, 0, [])

    def rows(self, leaf: Table | TableRows, head: Table, width: int) -> list[Row]:
        """The rows of `leaf` in `width` cells; `head` is the table it belongs to."""
        widths = self._widths(head, width)
        found: list[Row] = []
        if leaf is head:
            found.extend(self._row(head.header, widths, head.alignments, "strong"))
            found.append(Row((("─┼─".join("─" * w for w in widths), "rule"),)))
        for cells in leaf.rows:
            found.extend(self._row(cells, widths, head.alignments, ""))
        return found

    def _widths(self, table: Table, width: int) -> list[int]:
        known, at_width, widths = self._settled
        if known is not table or at_width != width:
            widths = self._settle(table, width)
            self._settled = (table, width, widths)
        return widths

    def _settle(self, table: Table, width: int) -> list[int]:
        natural = [MIN_COLUMN] * len(table.header)
        for cells in (table.header, *table.rows):
            for column, cell in enumerate(cells):
                shown = "".join(text for text, _ in self._cell(cell))
                natural[column] = max(natural[column], cell_len(shown))
        return shrink(natural, width - len(_SEPARATOR) * (len(natural) - 1))

    def _row(
        self, cells: Sequence[str], widths: list[int], alignments: Sequence[Alignment], style: str
    ) -> list[Row]:
        wrapped = [
            [spans for spans, _ in wrap(self._cell(cell, style), width)]
            for cell, width in zip(cells, widths, strict=True)
        ]
        found = []
        for index in range(max(map(len, wrapped))):
            line: list[tuple[str, str]] = []
            for column, width in enumerate(widths):
                if column:
                    line.append((_SEPARATOR, "rule"))
                spans = wrapped[column][index] if index < len(wrapped[column]) else ()
                line.extend(_aligned(spans, width, alignments[column]))
            found.append(Row(tuple(line)))
        return found


def shrink(natural: list[int], room: int) -> list[int]:
    """Column widths that fit `room` cells: wide columns give way first, evenly.

    No column falls below `MIN_COLUMN`, even if the sum is then larger than `room`.
    """
    widths = list(natural)
    excess = sum(widths) - room
    while excess > 0:
        widest = max(widths)
        if widest <= MIN_COLUMN:
            break
        wide = [column for column, width in enumerate(widths) if width == widest]
        below = max((w for w in widths if w < widest), default=MIN_COLUMN)
        step = min(widest - max(below, MIN_COLUMN), max(1, excess // len(wide)))
        for column in wide:
            taken = min(step, excess)
            widths[column] -= taken
            excess -= taken
    return widths


def _aligned(spans: Spans, width: int, alignment: Alignment) -> Spans:
    free = max(0, width - sum(cell_len(text) for text, _ in spans))
    left = {"left": 0, "center": free // 2, "right": free}[alignment]
    before = ((" " * left, ""),) if left else ()
    after = ((" " * (free - left), ""),) if free - left else ()
    return (*before, *spans, *after)
