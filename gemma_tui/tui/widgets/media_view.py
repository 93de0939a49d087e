"""One attachment in small: a picture of half blocks, the levels of a sound, or lines of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import set_cell_size
from textual.content import Content
from textual.widget import Widget

from gemma_tui.sanitize import sanitize, sanitize_line
from gemma_tui.tui.transcript.pictures import INDENT, picture_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gemma_tui.generation import MediaPreview

_CELL: Final = 2
"""Pixels that a cell holds above each other."""

_WAVE_ROWS: Final = 6
"""At most so high is a sound."""

_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"


class MediaView(Widget):
    """Shows what it is given, as large as there is room, and never enlarged."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: MediaPreview | str = ""
        self._is_sentence = True

    def show(self, preview: MediaPreview | str) -> None:
        """Show a preview, or the lines of a text."""
        self._shown, self._is_sentence = preview, False
        self.refresh()

    def tell(self, sentence: str) -> None:
        """Say why there is nothing to see."""
        self._shown, self._is_sentence = sentence, True
        self.refresh()

    def render(self) -> Content:
        """As much as fits."""
        width, height = self.content_size
        if isinstance(self._shown, str):
            if self._is_sentence:
                return Content.styled(sanitize(self._shown), "$foreground 75%")
            lines = sanitize(self._shown).split("\n")[: max(0, height)]
            return Content("\n").join([Content(_fit(line, width)) for line in lines])
        if self._shown.levels:
            wave = _wave(self._shown.levels[:width], min(height, _WAVE_ROWS))
            return Content.styled("\n".join(wave), "$text-secondary")
        rows = picture_rows(self._shown, _width(self._shown, width, height) + INDENT)
        return Content("\n").join(
            [
                Content.assemble(*((text, _style(name)) for text, name in row.spans if name))
                for row in rows[: max(0, height)]
            ]
        )


def _width(preview: MediaPreview, width: int, height: int) -> int:
    """Cells across at which a preview fits into so many cells."""
    fitting = _CELL * height * preview.width // max(1, preview.height)
    return max(1, min(width, preview.width, fitting))


def _wave(levels: Sequence[int], height: int) -> list[str]:
    """Columns of blocks, one for each level; by its square root, since a voice is far from full."""
    tops = [round(8 * height * (max(0, min(100, level)) / 100) ** 0.5) or 1 for level in levels]
    return [
        "".join(_EIGHTHS[max(0, min(8, top - 8 * row))] for top in tops)
        for row in reversed(range(height))
    ]


def _style(name: str) -> str:
    """A style of a row of the transcript as a style of `Content`."""
    return name.replace(" on#", " on #") if name.startswith("#") else ""


def _fit(line: str, width: int) -> str:
    line = sanitize_line(line)
    return set_cell_size(line, width).rstrip() if len(line) * 2 > width else line
