"""Draws previews with characters: pictures with half blocks, sounds as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gemma_tui.tui.graphics.kitty import Graphic
from gemma_tui.tui.transcript.rows import Row

if TYPE_CHECKING:
    from gemma_tui.generation import MediaPreview
    from gemma_tui.tui.transcript.rows import Span

INDENT: Final = 2
"""Cells left of a preview, as its chip's name begins."""

_BARS: Final = "▁▂▃▄▅▆▇█"


def picture_rows(preview: MediaPreview | Graphic, width: int) -> list[Row]:
    """The rows of a preview in at most `width` cells.

    A cell holds two pixels above each other; a preview wider than the room is thinned out, a
    picture that the terminal has is cut.
    """
    room = max(1, width - INDENT)
    if isinstance(preview, Graphic):
        return [
            Row(
                ((" " * INDENT, ""), (preview.cells(row, room), f"graphic#{preview.colour}")),
                lead=INDENT,
            )
            for row in range(preview.rows)
        ]
    shown = min(preview.width, room)
    if not shown or preview.width < 1:
        return [Row()]
    columns = [at * preview.width // shown for at in range(shown)]
    if preview.levels:
        bars = "".join(_bar(preview.levels[column]) for column in columns)
        return [Row(((" " * INDENT, ""), (bars, "chip")), lead=INDENT)]
    height = max(1, preview.height * shown // preview.width)
    lines = [at * preview.height // height for at in range(height)]
    return [
        Row(((" " * INDENT, ""), *_half_blocks(preview, columns, lines[at : at + 2])), lead=INDENT)
        for at in range(0, height, 2)
    ]


def _bar(level: int) -> str:
    # Full scale is rare: a voice is at a tenth of it, so the bars follow the square root.
    share = (max(0, min(100, level)) / 100) ** 0.5
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]


def _half_blocks(preview: MediaPreview, columns: list[int], lines: list[int]) -> list[Span]:
    """Cells of one row: the upper pixel is the character, the lower one its background."""
    spans: list[Span] = []
    for column in columns:
        colours = [_pixel(preview, column, line) for line in lines]
        style = f"#{colours[0]}" if len(colours) == 1 else f"#{colours[0]} on#{colours[1]}"
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + "▀", style)
        else:
            spans.append(("▀", style))
    return spans


def _pixel(preview: MediaPreview, column: int, line: int) -> str:
    at = 6 * (line * preview.width + column)
    return preview.rgb[at : at + 6]
