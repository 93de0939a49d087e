"""The table of models: one line each, its columns as wide as the screen lets them be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.widgets.option_list import Option

from gemma_tui.sanitize import sanitize_line
from gemma_tui.tui.model_rows import ModelPlace
from gemma_tui.tui.widgets.paged_list import PagedList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.geometry import Size

    from gemma_tui.tui.model_rows import ModelRow

_FAMILY: Final = "Gemma 4 "
"""Stands before every name; left out where there is little room."""

_COLOURS: Final = {"fits": "", "tight": "$warning", "no": "$error", "unknown": ""}
_SIZE_WIDTH, _FIT_WIDTH, _STATE_WIDTH = 9, 7, 21


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths in cells."""

    name: int
    speed: int
    size: int = _SIZE_WIDTH
    fit: int = _FIT_WIDTH


def _columns_within(width: int) -> _Columns:
    speed = 10 if width >= 80 else 0
    taken = 2 + _SIZE_WIDTH + _FIT_WIDTH + speed + _STATE_WIDTH
    return _Columns(max(12, min(40, width - taken)), speed)


class ModelTable(PagedList):
    """Up and Down choose. It knows the rows it shows, and nothing of where they come from."""

    def __init__(self) -> None:
        super().__init__(markup=False, compact=True)
        self._rows: tuple[ModelRow, ...] = ()

    @property
    def row(self) -> ModelRow | None:
        """The model under the cursor."""
        index = self.highlighted
        rows = self._rows
        return rows[index - 1] if index is not None and 0 < index <= len(rows) else None

    def show(self, rows: Sequence[ModelRow]) -> None:
        """Show these; the cursor stays on its model."""
        kept, before = self.row, [row.key for row in self._rows]
        self._rows = tuple(rows)
        if before == [row.key for row in rows]:
            self._draw()
            return
        heading = Option(self._heading(), disabled=True)
        self.set_options([heading, *(Option(self._line(row), id=row.key) for row in rows)])
        if kept is not None:
            self.choose(kept.key)

    def choose(self, key: str) -> None:
        """Put the cursor on a model, if it is there."""
        for index, row in enumerate(self._rows, 1):
            if row.key == key:
                self.highlighted = index

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row for each model, on less than half of the screen: details want room, too."""
        return min(super().get_content_height(container, viewport, width), _share(viewport.height))

    def on_resize(self, event: events.Resize) -> None:
        """Columns follow the width."""
        del event
        self._draw()

    def _draw(self) -> None:
        if not self.option_count:
            return
        for index, line in enumerate((self._heading(), *map(self._line, self._rows))):
            if self.get_option_at_index(index).prompt != line:
                self.replace_option_prompt_at_index(index, line)

    @property
    def _columns(self) -> _Columns:
        return _columns_within(self.scrollable_content_region.width)

    def _heading(self) -> Content:
        columns = self._columns
        speed = f"{'tokens/s':>{columns.speed}}" if columns.speed else ""
        text = f"  {'Model':<{columns.name}}{'Disk':>{columns.size}}  {'Fits':<{columns.fit - 2}}"
        return Content.styled(f"{text}{speed}  State", "$foreground 75%")

    def _line(self, row: ModelRow) -> Content:
        columns = self._columns
        name = sanitize_line(" · ".join(filter(None, (row.name, row.kind))))
        if cell_len(name) > columns.name:
            name = name.removeprefix(_FAMILY)
        if cell_len(name) > columns.name:
            name = set_cell_size(name, columns.name - 1).rstrip() + "…"
        name += " " * (columns.name - cell_len(name))
        verdict = row.fit.verdict if row.fit else ""
        word = {"": "…", "unknown": "?"}.get(verdict, verdict)
        word = "" if row.place is ModelPlace.SERVER or row.problem else word
        mark = (
            ("● ", "$success") if row.answers else ("★ ", "$accent") if row.advice else ("  ", "")
        )
        is_absent = not row.can_be_loaded and row.download is None
        return Content.assemble(
            mark,
            (name, "bold" if row.answers else "$foreground 75%" if is_absent else ""),
            (f"{row.size:>{columns.size}}  ", "$foreground 75%"),
            (f"{word:<{columns.fit - 2}}", _COLOURS.get(verdict, "$foreground 75%")),
            (f"{row.speed:>{columns.speed}}" if columns.speed else "", "$foreground 75%"),
            ("  " + sanitize_line(row.state), _state_colour(row)),
        )


def _share(height: int) -> int:
    return max(4, 9 * height // 20)


def _state_colour(row: ModelRow) -> str:
    if row.answers:
        return "$success"
    if row.trust == "damaged" or row.problem or (row.download and row.download.phase == "failed"):
        return "$error"
    return "$foreground" if row.can_be_loaded or row.download else "$foreground 75%"
